"""Asks the oracle: `TFDV_ORACLE` is the command of a Python that has the full TFDV."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

if TYPE_CHECKING:
    from typing import IO

VARIABLE: Final = "TFDV_ORACLE"
_SCRIPT: Final = Path(__file__).with_name("oracle.py")


class RefusedError(RuntimeError):
    """TFDV raised an error, or its process died."""


class Oracle:
    """The full TFDV, in a process that answers one question after another.

    Args:
        process: Runs oracle.py.
        log: What it writes to stderr.
    """

    def __init__(self, process: subprocess.Popen[str], log: IO[bytes]) -> None:
        self._process = process
        self._log = log

    def version(self) -> str:
        """TFDV's version."""
        return self._ask("version").decode()

    def statistics(self, batch: Any, schema: Schema | None = None) -> DatasetFeatureStatisticsList:
        """Statistics of a record batch as TFDV wants it, see `tables.as_tfdv`."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        answer = self._ask("statistics", batches=sink.getvalue().to_pybytes(), schema=_bytes(schema))
        return DatasetFeatureStatisticsList.FromString(answer)

    def csv(self, content: bytes) -> DatasetFeatureStatisticsList:
        """Statistics of a CSV file with a header."""
        return DatasetFeatureStatisticsList.FromString(self._ask("csv", content=content))

    def infer(self, statistics: DatasetFeatureStatisticsList) -> Schema:
        """The schema inferred from statistics."""
        return Schema.FromString(self._ask("infer", statistics=_bytes(statistics)))

    def validate(
        self,
        statistics: DatasetFeatureStatisticsList,
        schema: Schema,
        *,
        previous: DatasetFeatureStatisticsList | None = None,
        environment: str = "",
    ) -> Anomalies:
        """The anomalies of statistics."""
        answer = self._ask(
            "validate",
            statistics=_bytes(statistics),
            schema=_bytes(schema),
            previous=_bytes(previous),
            environment=environment.encode(),
        )
        return Anomalies.FromString(answer)

    def _ask(self, question: str, **content: bytes | None) -> bytes:
        packed = {k: None if v is None else base64.b64encode(v).decode() for k, v in content.items()}
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            print(json.dumps({"ask": question, **packed}), file=stdin, flush=True)
            line = stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RefusedError(f"the oracle ended with {self._process.wait()}: {self._last_words()}")
        answer = json.loads(line)
        if "error" in answer:
            raise RefusedError(answer["error"])
        return base64.b64decode(answer["answer"])

    def _last_words(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-2_000:]


@contextmanager
def oracle(command: str) -> Iterator[Oracle]:
    """Runs the oracle by the command of its Python, e.g. `.venv-parity/bin/python`."""
    # Its source is an argument: the Python may live on another root, or in a container.
    arguments = [*shlex.split(command), "-c", _SCRIPT.read_text()]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            yield Oracle(process, log)
        finally:
            process.stdin.close()  # type: ignore[union-attr]  # a pipe
            process.wait()
            process.stdout.close()  # type: ignore[union-attr]  # a pipe


def _bytes(proto: Any) -> bytes | None:
    return None if proto is None else bytes(proto.SerializeToString())
