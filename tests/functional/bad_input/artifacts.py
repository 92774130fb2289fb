"""The files a run leaves: figures out of the protos, findings out of the verdict, and whether all agree."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorflow_metadata.proto.v0.anomalies_pb2 import Anomalies
from tensorflow_metadata.proto.v0.statistics_pb2 import (
    DatasetFeatureStatistics,
    DatasetFeatureStatisticsList,
    FeatureNameStatistics,
)

from tests.functional.bad_input.expected import Figures

GATE_BYTES: Final = 16 * 1024
_FOR_PEOPLE: Final = ("verdict.json", "gate.json", "error.json", "report.html", "anomalies.pbtxt")
HOSTILE: Final = b"<script>alert"
"""What hostile inputs hold: nowhere in a page may it stand as it is."""


@dataclass(frozen=True, slots=True)
class Artifacts:
    """What one run says of its data."""

    statistics: DatasetFeatureStatistics
    documents: Mapping[str, Any]
    """verdict.json and gate.json."""

    @classmethod
    def read(cls, files: Mapping[str, bytes]) -> Artifacts:
        """Reads the files by their names.

        Raises:
            KeyError: One is absent.
            ValueError: One is not what it claims to be.
        """
        try:
            (dataset,) = DatasetFeatureStatisticsList.FromString(files["statistics.pb"]).datasets
            in_bytes = Anomalies.FromString(files["anomalies.pb"])
            in_text = text_format.Parse(files["anomalies.pbtxt"].decode(), Anomalies())
        except (DecodeError, text_format.ParseError) as error:
            raise ValueError(str(error)) from error
        if in_bytes != in_text:
            raise ValueError("anomalies.pb and anomalies.pbtxt differ")
        if b"</html>" not in files["report.html"]:
            raise ValueError("report.html does not end")
        return cls(dataset, {name: json.loads(files[name]) for name in ("verdict.json", "gate.json")})

    @property
    def rows(self) -> int:
        """Examples the statistics are of."""
        return int(self.statistics.num_examples)

    @property
    def names(self) -> tuple[str, ...]:
        """Columns in their order; of a struct the steps of the path, with dots between."""
        return tuple(".".join(feature.path.step) for feature in self.statistics.features)

    @property
    def verdict(self) -> str:
        """pass, warn or fail."""
        return str(self.documents["verdict.json"]["verdict"])

    @property
    def findings(self) -> Sequence[Mapping[str, str]]:
        """As the verdict has them."""
        return list(self.documents["verdict.json"]["findings"])

    def figures(self, name: str) -> Figures:
        """Returns the figures of a column."""
        feature = self.statistics.features[self.names.index(name)]
        return _figures(feature)

    def disagreements(self) -> Iterator[str]:
        """Yields what one file says and another does not."""
        verdict, gate = self.documents["verdict.json"], self.documents["gate.json"]
        if verdict["rows"] != self.rows:
            yield f"verdict.json has {verdict['rows']} rows, statistics.pb {self.rows}"
        for what in ("verdict", "run_id"):
            if verdict[what] != gate[what]:
                yield f"{what} is {verdict[what]!r} in verdict.json, {gate[what]!r} in gate.json"


def tidy(files: Mapping[str, bytes]) -> Iterator[str]:
    """Yields what people's files hold that they must not."""
    if len(files.get("gate.json", b"")) > GATE_BYTES:
        yield f"gate.json has {len(files['gate.json'])} bytes"
    if "error.json" in files and "gate.json" in files:
        yield "both a gate and an error"
    for name in set(files) & set(_FOR_PEOPLE):
        if b"\x1b" in files[name] or b"\x00" in files[name]:
            yield f"{name} has control characters"
    if HOSTILE in files.get("report.html", b"").lower():
        yield "report.html holds what the data says as it is"


def _figures(feature: FeatureNameStatistics) -> Figures:
    numbers, strings = feature.num_stats, feature.string_stats
    if feature.HasField("num_stats"):
        common = numbers.common_stats
        return Figures(
            kind=FeatureNameStatistics.Type.Name(feature.type),
            missing=common.num_missing,
            minimum=numbers.min,
            maximum=numbers.max,
            mean=numbers.mean,
            deviation=numbers.std_dev,
            zeros=numbers.num_zeros,
            values=common.tot_num_values,
        )
    common = strings.common_stats if feature.HasField("string_stats") else feature.bytes_stats.common_stats
    top = next(iter(strings.top_values), None)
    return Figures(
        kind=FeatureNameStatistics.Type.Name(feature.type),
        missing=common.num_missing,
        distinct=strings.unique,
        top=(top.value, int(top.frequency)) if top else None,
        values=common.tot_num_values,
    )
