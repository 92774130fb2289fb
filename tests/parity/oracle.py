"""The oracle: the full TensorFlow Data Validation in a process of its own, asked by `asking`.

Runs in another environment, maybe on another root or in a container, and imports nothing of ours. One
request is one line of JSON on stdin, one answer one line of JSON on stdout; protos, Arrow streams and CSV
files travel in base64. It is asked for what its public Python API says, and for nothing else.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

TFDV: Final = "tensorflow_data_validation"
Content = Mapping[str, bytes | None]


def statistics(content: Content) -> bytes:
    """Statistics of record batches; TFDV gets the schema when there is one."""
    pa, tfdv = import_module("pyarrow"), import_module(TFDV)
    stats_impl = import_module(f"{TFDV}.statistics.stats_impl")

    with pa.ipc.open_stream(content["batches"]) as reader:
        (batch,) = list(reader)
    options = tfdv.StatsOptions(schema=_schema(content) if content.get("schema") else None)
    return _bytes(stats_impl.generate_statistics_in_memory(batch, options))


def csv(content: Content) -> bytes:
    """Statistics of a CSV file with a header."""
    tfdv = import_module(TFDV)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data.csv")
        path.write_bytes(content["content"] or b"")
        return _bytes(tfdv.generate_statistics_from_csv(str(path)))


def infer(content: Content) -> bytes:
    """The schema inferred from statistics."""
    tfdv = import_module(TFDV)
    return _bytes(tfdv.infer_schema(_list(content["statistics"])))


def validate(content: Content) -> bytes:
    """The anomalies of statistics."""
    tfdv = import_module(TFDV)
    environment = (content.get("environment") or b"").decode() or None
    return _bytes(
        tfdv.validate_statistics(
            _list(content["statistics"]),
            _schema(content),
            environment=environment,
            previous_statistics=_list(content["previous"]) if content.get("previous") is not None else None,
        )
    )


def version(_: Content) -> bytes:
    """TFDV's version."""
    tfdv = import_module(TFDV)
    return str(tfdv.__version__).encode()


ANSWERS: Mapping[str, Callable[[Content], bytes]] = {
    "statistics": statistics,
    "csv": csv,
    "infer": infer,
    "validate": validate,
    "version": version,
}


def _list(content: bytes | None) -> Any:
    statistics_pb2 = import_module("tensorflow_metadata.proto.v0.statistics_pb2")
    return statistics_pb2.DatasetFeatureStatisticsList.FromString(content or b"")


def _schema(content: Content) -> Any:
    schema_pb2 = import_module("tensorflow_metadata.proto.v0.schema_pb2")
    return schema_pb2.Schema.FromString(content.get("schema") or b"")


def _bytes(proto: Any) -> bytes:
    return bytes(proto.SerializeToString())


def _never_sample() -> None:
    """Keeps TFDV from counting lengths of a random hundredth of batches: that fails where a text is null."""
    np = import_module("numpy")
    np.random.random = lambda: 1.0


def _answer(line: str) -> Mapping[str, str]:
    request = json.loads(line)
    ask = request.pop("ask")
    content = {name: None if value is None else base64.b64decode(value) for name, value in request.items()}
    try:
        return {"answer": base64.b64encode(ANSWERS[ask](content)).decode()}
    except Exception as error:  # whatever it is, who asked has to know
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Answers until stdin ends."""
    # TensorFlow and Beam print where they like: stdout is for answers alone.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    _never_sample()
    for line in sys.stdin:
        print(json.dumps(_answer(line)), file=answers)


if __name__ == "__main__":
    main()
