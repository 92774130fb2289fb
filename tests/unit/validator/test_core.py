"""The door to TFDV's core: what goes in and out, and what it says when it cannot be used."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from tensorflow_metadata.proto.v0.schema_pb2 import FLOAT, Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import core
from validator.contract import ExitCode

Build = Callable[..., DatasetFeatureStatisticsList]


@pytest.fixture
def fresh_core() -> None:
    core._extension.cache_clear()


def test_infers_a_schema(statistics: Build) -> None:
    inferred = core.infer_schema(
        statistics(fare=[1.5, 2.5]).datasets[0], max_string_domain_size=100, infer_shape=True
    )
    assert [(f.name, f.type, f.shape.dim[0].size) for f in inferred.feature] == [("fare", FLOAT, 1)]


def test_the_limit_of_domains_is_the_callers(statistics: Build) -> None:
    day = statistics(pay=["a", "b", "c"]).datasets[0]
    small = core.infer_schema(day, max_string_domain_size=2, infer_shape=False)
    large = core.infer_schema(day, max_string_domain_size=3, infer_shape=False)
    assert (len(small.string_domain), len(large.string_domain)) == (0, 1)


def test_updates_a_schema(statistics: Build, schema: Callable[[str], Schema]) -> None:
    declared = schema('feature { name: "pay" type: BYTES string_domain { value: "Cash" } }')
    updated = core.update_schema(
        declared, statistics(pay=["Cash", "Card"]).datasets[0], max_string_domain_size=100
    )
    assert set(updated.feature[0].string_domain.value) == {"Cash", "Card"}


def test_validates(statistics: Build, schema: Callable[[str], Schema]) -> None:
    declared = schema('feature { name: "fare" type: FLOAT }')
    assert not core.validate(statistics(fare=[1.0]).datasets[0], declared).anomaly_info
    assert core.validate(statistics(tips=[1.0]).datasets[0], declared).anomaly_info


def test_the_core_writes_nothing_to_stderr(
    statistics: Build, schema: Callable[[str], Schema], capfd: pytest.CaptureFixture[str]
) -> None:
    declared = schema('feature { name: "gone" type: FLOAT presence { min_count: 1 } }')
    core.validate(statistics(fare=[1.0]).datasets[0], declared, previous=statistics(gone=[1.0]).datasets[0])
    assert capfd.readouterr().err == ""


def test_a_refusal_of_the_core_is_one_line() -> None:
    statistics = SimpleNamespace(SerializeToString=lambda: b"garbage")
    with pytest.raises(
        core.CoreError, match=r"^TFDV's InferSchema failed: .*DatasetFeatureStatistics"
    ) as caught:
        core.infer_schema(statistics, max_string_domain_size=1, infer_shape=True)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.SOFTWARE


@pytest.mark.usefixtures("fresh_core")
def test_an_unknown_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "version", lambda: "1.99.0")
    with pytest.raises(core.CoreError, match=r"1\.99\.0: known are 1\.16\.1 and 1\.21\.0; install"):
        core._extension()


@pytest.mark.usefixtures("fresh_core")
def test_another_signature_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {core.version(): {"ValidateFeatureStatistics": 10}}
    monkeypatch.setattr(core, "SIGNATURES", other)
    with pytest.raises(core.CoreError, match="its ValidateFeatureStatistics takes 9 arguments, not 10"):
        core._extension()


@pytest.mark.usefixtures("fresh_core")
def test_an_absent_function_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "SIGNATURES", {core.version(): {"Nothing": 1}})
    with pytest.raises(core.CoreError, match="its Nothing takes 0 arguments, not 1"):
        core._extension()


def test_an_absent_wheel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(core, "distribution", absent)
    with pytest.raises(core.CoreError, match=r"^cannot load TFDV's core: .* is not installed; install"):
        core.version()


@pytest.mark.usefixtures("fresh_core")
def test_a_wheel_without_the_extension_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    version = core.version()
    monkeypatch.setattr(core, "distribution", lambda _: SimpleNamespace(version=version, files=[]))
    with pytest.raises(core.CoreError, match="has no tensorflow_data_validation_extension"):
        core._extension()


def test_neither_tensorflow_nor_beam_nor_the_package_is_imported() -> None:
    program = (
        "import sys; from validator import core; core._extension(); "
        "print([m for m in ('tensorflow', 'apache_beam', 'tensorflow_data_validation', 'pandas') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
