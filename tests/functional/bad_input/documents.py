"""Bad schemas, baselines, options and manifests beside good data."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tensorflow_metadata.proto.v0.statistics_pb2 import (
    DatasetFeatureStatistics,
    DatasetFeatureStatisticsList,
    FeatureNameStatistics,
    Histogram,
)

from tests.functional.bad_input.expected import EITHER, UNUSABLE, Accepted, Flaw, Refused
from tests.functional.bad_input.inputs import Case, Run
from tests.functional.bad_input.samples import RIGHT, SAMPLE, file, text

_UTF_8: Final = "utf-?8"
_DEEP: Final = 20_000


def _beside(option: str, name: str, content: Callable[[], bytes] | None) -> Callable[[Path], Run]:
    """Returns how good data is made with a document beside it; None makes a folder of that name."""

    def make(folder: Path) -> Run:
        path = folder / name
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content())
        return Run(file(text)(folder).data, (option, str(path)))

    return make


def _schema(name: str, content: Callable[[], bytes] | None, why: str, place: str = "") -> Case:
    refused = Refused(why, place, EITHER, ("schema.pbtxt",))
    return Case(name, "schema", _beside("--schema", "schema.pbtxt", content), (refused,))


def _baseline(name: str, content: Callable[[], bytes] | None, why: str) -> Case:
    refused = Refused(why, "", EITHER, ("baseline.pb",))
    return Case(name, "baseline", _beside("--baseline", "baseline.pb", content), (refused,))


def _statistics(count: float = 100, low: float = 0) -> bytes:
    """Returns statistics of 1,000 numbers in ten buckets."""
    numbers = FeatureNameStatistics(name="id", type=FeatureNameStatistics.INT)
    numbers.num_stats.common_stats.tot_num_values = numbers.num_stats.common_stats.num_non_missing = 1000
    for kind in (Histogram.STANDARD, Histogram.QUANTILES):
        histogram = numbers.num_stats.histograms.add(type=kind)
        for end in range(100, 1001, 100):
            histogram.buckets.add(low_value=low + end - 100, high_value=end, sample_count=count)
    whole = DatasetFeatureStatistics(num_examples=1000, features=[numbers])
    return bytes(DatasetFeatureStatisticsList(datasets=[whole]).SerializeToString())


def _compared_by(threshold: str) -> bytes:
    divergence = f"jensen_shannon_divergence {{ threshold: {threshold} }}"
    return f'feature {{ name: "id" type: INT drift_comparator {{ {divergence} }} }}'.encode()


def _option(name: str, option: str, value: str, why: str, variable: str) -> Case:
    """Returns a case of good data with an option that is refused at the door."""
    refused = Refused(why, "", UNUSABLE, (variable,), leaves_error=False)
    return Case(name, "option", file(text, "data.csv", option, value), (refused,))


SCHEMAS: Final = (
    _schema("schema-is-noise", lambda: b"not a schema at all {", "expected|no field|no schema", "line 1"),
    _schema("schema-of-other-words", lambda: b'feature { name: "id" colour: RED }', "colour", "line 1"),
    _schema("schema-cut", lambda: b'feature {\n name: "id"\n type: INT\n', "expected"),
    _schema("schema-in-binary", lambda: b"\x0a\x04\x0a\x02id\xff", f"{_UTF_8}|expected"),
    _schema("schema-not-utf-8", lambda: b'feature { name: "caf\xe9" }', _UTF_8),
    _schema("schema-is-a-folder", None, "it is a folder"),
    _schema(
        "schema-nested-20000-deep",
        lambda: b"feature { struct_domain { " * _DEEP + b"} } " * _DEEP,
        "deep|nest|recursion",
    ),
    _schema(
        "schema-feature-twice",
        lambda: b'feature { name: "id" } feature { name: "id" }',
        "'id' is declared 2 times",
    ),
    _schema(
        "schema-without-its-domain", lambda: b'feature { name: "id" domain: "x" }', "'x', which is missing"
    ),
    _schema("schema-compares-by-nan", lambda: _compared_by("nan"), "threshold of feature 'id' is nan"),
    _schema("schema-compares-by-infinity", lambda: _compared_by("inf"), "threshold of feature 'id' is inf"),
    Case(
        "schema-says-struct-of-numbers",
        "schema",
        _beside("--schema", "schema.pbtxt", lambda: b'feature { name: "id" type: STRUCT }'),
        (Accepted(1000, SAMPLE, (Flaw("UNEXPECTED_DATA_TYPE", "id"),), verdict="fail"),),
    ),
    Case(
        "schema-empty",
        "schema",
        _beside("--schema", "schema.pbtxt", lambda: b""),
        (
            Accepted(1000, SAMPLE, (Flaw("SCHEMA_NEW_COLUMN", "id"),), verdict="fail"),
            Refused("empty", "", EITHER, ("schema.pbtxt",)),
        ),
    ),
)

BASELINES: Final = (
    _baseline("baseline-cut", lambda: b"\x0a\x7f\x10\xe8\x07\x1a", "no statistics|statistics"),
    _baseline("baseline-in-text", lambda: b"datasets { num_examples: 1000 }", "no statistics|statistics"),
    _baseline("baseline-is-noise", lambda: bytes(range(256)), "no statistics|statistics"),
    _baseline("baseline-empty", lambda: b"", "no statistics|empty|none of their 0 datasets"),
    _baseline("baseline-is-a-folder", None, "it is a folder"),
    _baseline("baseline-counts-nan", lambda: _statistics(math.nan), "counts nan in .* of feature 'id'"),
    _baseline("baseline-counts-below-zero", lambda: _statistics(-5), "counts -5.* of feature 'id'"),
    _baseline("baseline-counts-nothing", lambda: _statistics(0), "counts together are 0.* of feature 'id'"),
    _baseline("baseline-of-nan", lambda: _statistics(low=math.nan), "reaches from nan .* of feature 'id'"),
    Case("baseline", "baseline", _beside("--baseline", "baseline.pb", _statistics), (RIGHT,)),
)

OPTIONS: Final = (
    _option("option-columns-with-a-line-end", "--columns", "a\nb", "not names like", "CSV_COLUMNS"),
    _option("option-columns-with-an-open-quote", "--columns", 'a,"b', "not names like", "CSV_COLUMNS"),
    _option("option-columns-not-utf-8", "--columns", "a,b\udce9", "not names like", "CSV_COLUMNS"),
    _option("option-workers-of-4999-digits", "--workers", "9" * 4_999, "not a whole number", "WORKERS"),
    _option(
        "option-memory-of-4999-digits",
        "--memory-budget-mb",
        "9" * 4_999,
        "not a whole number",
        "MEMORY_BUDGET_MB",
    ),
    _option("option-run-id-of-100000-signs", "--run-id", "a" * 100_000, "too long for gate.json", "RUN_ID"),
)


def _entry(path: Path, **other: Any) -> dict[str, Any]:
    status = path.stat()
    known = {"size": status.st_size, "etag": None, "last_modified": str(status.st_mtime_ns)}
    return {"uri": str(path), "version_id": None, **known, **other}


def _document(*entries: Any, **other: Any) -> dict[str, Any]:
    head = {"version": 1, "dataset": "d", "run_date": "2026-11-22", "run_id": "r", "data_uri": "x"}
    return {**head, "objects": list(entries), **other}


def _named(describe: Callable[[Path], Any]) -> Callable[[Path], Run]:
    """Returns how good data is made that a manifest names."""

    def make(folder: Path) -> Run:
        path = folder / "data.csv"
        path.write_bytes(text())
        described = describe(path)
        content = described if isinstance(described, bytes) else json.dumps(described).encode()
        (folder / "manifest.json").write_bytes(content)
        return Run(None, ("--manifest", str(folder / "manifest.json")))

    return make


def _manifest(
    name: str, describe: Callable[[Path], Any], why: str, *named: str, codes: tuple[int, ...] = UNUSABLE
) -> Case:
    return Case(name, "manifest", _named(describe), (Refused(why, "", codes, named or ("manifest.json",)),))


def _changed_after(path: Path) -> Any:
    described = _document(_entry(path))
    path.write_bytes(text().replace(b"n0", b"n1", 1))
    return described


_CHANGED: Final = "changed since the manifest"

MANIFESTS: Final = (
    Case("manifest", "manifest", _named(lambda path: _document(_entry(path))), (RIGHT,)),
    Case(
        "manifest-of-nothing",
        "manifest",
        _named(lambda _: _document()),
        (Accepted(0, flaws=(Flaw("NO_DATA"),), verdict="fail"),),
    ),
    _manifest("manifest-is-noise", lambda _: b"{'version': 1", "not a manifest"),
    _manifest("manifest-not-utf-8", lambda _: b'{"version": "\xe9"}', "not a manifest"),
    _manifest("manifest-is-a-list", lambda _: [], "not a manifest"),
    _manifest("manifest-nested-100000-deep", lambda _: b"[" * 100_000, "not a manifest|deep|nest"),
    _manifest("manifest-of-another-version", lambda path: _document(_entry(path), version=2), "version is 2"),
    _manifest("manifest-without-objects", lambda _: {"version": 1}, "not a manifest"),
    _manifest("manifest-objects-are-text", lambda _: _document(objects="none"), "not a manifest"),
    _manifest(
        "manifest-size-is-infinite", lambda path: _document(_entry(path, size=float("inf"))), "not a manifest"
    ),
    _manifest("manifest-names-an-object-twice", lambda path: _document(*[_entry(path)] * 2), "twice"),
    _manifest(
        "manifest-object-absent",
        lambda path: _document(_entry(path, uri=str(path.with_name("gone.csv")))),
        "no such file",
        "gone.csv",
    ),
    _manifest(
        "manifest-other-size",
        lambda path: _document(_entry(path, size=12)),
        _CHANGED,
        "data.csv",
        codes=(65,),
    ),
    _manifest(
        "manifest-negative-size",
        lambda path: _document(_entry(path, size=-1)),
        f"{_CHANGED}|not a manifest",
        "data.csv|manifest.json",
        codes=EITHER,
    ),
    _manifest("manifest-older-than-the-data", _changed_after, _CHANGED, "data.csv", codes=(65,)),
    _manifest(
        "manifest-names-a-device",
        lambda path: _document(_entry(path, uri="/dev/zero.csv")) | {"data_uri": "/dev/zero.csv"},
        "no such file|device",
        "/dev/zero.csv",
    ),
    Case(
        "manifest-is-a-pipe",
        "manifest",
        lambda _: Run(None, ("--manifest", "/dev/zero")),
        (Refused("pipe, socket or device", "", UNUSABLE, ("/dev/zero",)),),
    ),
)

CASES: Final = (*SCHEMAS, *BASELINES, *OPTIONS, *MANIFESTS)
