"""Portions: the core's answers to them, put together, are its answer to everything at once."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass

import pytest
from google.protobuf import text_format
from hypothesis import event, given
from hypothesis import strategies as st
from tensorflow_metadata.proto.v0.anomalies_pb2 import AnomalyInfo
from tensorflow_metadata.proto.v0.schema_pb2 import (
    FLOAT,
    STRUCT,
    Feature,
    Schema,
    SparseFeature,
    WeightedFeature,
)
from tensorflow_metadata.proto.v0.statistics_pb2 import (
    DatasetFeatureStatistics,
    DatasetFeatureStatisticsList,
    FeatureNameStatistics,
)

from validator import anomalies, core, portions, schema

ENVIRONMENTS = ("TRAINING", "SERVING")

DECLARATIONS = (
    "type: INT int_domain { min: 0 max: 5 } presence { min_fraction: 1 }",
    "type: FLOAT float_domain { max: 1 disallow_nan: true } value_count { max: 1 }",
    "type: BYTES domain: 'shared' drift_comparator { infinity_norm { threshold: 0.1 } }",
    "type: BYTES domain: 'other' not_in_environment: 'SERVING'",
    "type: BYTES string_domain { value: 'a' } distribution_constraints { min_domain_mass: 0.5 }",
    "type: FLOAT drift_comparator { jensen_shannon_divergence { threshold: 0.01 } }",
    "type: FLOAT presence { min_count: 1 } in_environment: 'SERVING'",
    "type: BYTES unique_constraints { min: 2 max: 2 } presence { min_count: 1 }",
    "type: INT deprecated: true",
    """type: STRUCT presence { min_count: 1 } struct_domain {
         feature { name: 'inner' type: BYTES domain: 'shared' presence { min_count: 1 } } }""",
    "presence { min_count: 1 }",
)

VALUES = (
    """type: INT num_stats { min: 3 max: 8 mean: 5 common_stats {
         num_non_missing: 9 num_missing: 1 min_num_values: 1 max_num_values: 1 tot_num_values: 9 } }""",
    """type: FLOAT num_stats { min: -1 max: 2 mean: 1
         common_stats { num_non_missing: 10 min_num_values: 1 max_num_values: 2 tot_num_values: 12 }
         histograms { num_nan: 2 buckets { low_value: -1 high_value: 2 sample_count: 10 } } }""",
    """type: FLOAT num_stats { min: 7 max: 8 mean: 7.5
         common_stats { num_non_missing: 10 min_num_values: 1 max_num_values: 1 tot_num_values: 10 }
         histograms { buckets { low_value: 7 high_value: 8 sample_count: 10 } } }""",
    """type: STRING string_stats { unique: 2
         common_stats {
           num_non_missing: 4 num_missing: 6 min_num_values: 1 max_num_values: 1 tot_num_values: 4 }
         top_values { value: 'a' frequency: 3 } top_values { value: 'b' frequency: 1 }
         rank_histogram {
           buckets { label: 'a' sample_count: 3 } buckets { label: 'b' sample_count: 1 } } }""",
    "type: STRING string_stats { common_stats { num_missing: 10 } }",
)

VALUES_OF_STRUCTS = """type: STRUCT struct_stats { common_stats {
    num_non_missing: 10 min_num_values: 1 max_num_values: 1 tot_num_values: 10 } }"""
COMPOSITE = "custom_stats { name: 'missing_value' num: 2 }"


@pytest.fixture(autouse=True, scope="module")
def _few_columns() -> Iterator[None]:
    """Makes portions so small that a handful of columns is many of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portions, "COLUMNS", 2)
        yield


@dataclass(frozen=True)
class Case:
    """A schema, statistics and a baseline."""

    declared: Schema
    current: DatasetFeatureStatistics
    previous: DatasetFeatureStatistics | None
    environment: str


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draws a schema of every construct, and statistics of its columns and of others."""
    names = draw(st.lists(st.text("abé. ", max_size=3), unique=True, max_size=9))
    declared = draw(_schemas(names))
    structs = {each.name for each in declared.feature if not each.HasField("float_domain")}
    return Case(
        declared,
        draw(_statistics(names, structs)),
        draw(st.none() | _statistics(names, structs)),
        draw(st.sampled_from(("", *ENVIRONMENTS))),
    )


@st.composite
def _schemas(draw: st.DrawFn, names: list[str]) -> Schema:
    declared = Schema(default_environment=ENVIRONMENTS)
    for domain in ("shared", "other"):
        declared.string_domain.add(name=domain, value=["a"])
    if draw(st.booleans()):
        declared.dataset_constraints.min_examples_count = 11
        declared.dataset_constraints.num_examples_drift_comparator.min_fraction_threshold = 2
    for name in names:
        for kind in draw(st.sets(st.sampled_from(["feature", "feature", "sparse", "weighted"]), max_size=2)):
            _declare(declared, name, kind, draw(st.sampled_from(DECLARATIONS)))
    return declared


def _declare(declared: Schema, name: str, kind: str, declaration: str) -> None:
    if kind == "feature":
        declared.feature.append(text_format.Parse(declaration, Feature(name=name)))
    elif kind == "sparse":
        declared.sparse_feature.append(SparseFeature(name=name))
    else:
        declared.weighted_feature.append(WeightedFeature(name=name))


@st.composite
def _statistics(draw: st.DrawFn, names: list[str], structs: Set[str]) -> DatasetFeatureStatistics:
    """Draws statistics; only those named in `structs` may be structs: the core aborts on others."""
    dataset = DatasetFeatureStatistics(num_examples=draw(st.sampled_from([10, 10, 10, 0])))
    for name in draw(st.permutations(names)):
        match draw(st.sampled_from(["absent", "values", "values", "struct", "composite"])):
            case "values":
                dataset.features.append(_measured([name], draw(st.sampled_from(VALUES))))
            case "struct" if name in structs:
                dataset.features.append(_measured([name], VALUES_OF_STRUCTS))
                dataset.features.append(_measured([name, "inner"], draw(st.sampled_from(VALUES))))
            case "composite":
                dataset.features.append(_measured([name], COMPOSITE))
    return dataset


def _measured(path: list[str], values: str) -> FeatureNameStatistics:
    feature: FeatureNameStatistics = text_format.Parse(values, FeatureNameStatistics())
    feature.path.step.extend(path)
    return feature


def _listed(dataset: DatasetFeatureStatistics) -> DatasetFeatureStatisticsList:
    return DatasetFeatureStatisticsList(datasets=[dataset])


@given(cases())
def test_anomalies_of_portions_are_those_of_the_whole(case: Case) -> None:
    found = anomalies.find(
        _listed(case.current),
        case.declared,
        baseline=_listed(case.previous) if case.previous is not None else None,
        environment=case.environment,
    )
    whole = core.validate(
        _judgeable(case, case.current),
        case.declared,
        environment=case.environment,
        previous=_judgeable(case, case.previous),
    )
    for info in whole.anomaly_info.values():
        event("; ".join(sorted({reason.short_description for reason in info.reason})))
    assert found == whole


def _judgeable(case: Case, dataset: DatasetFeatureStatistics | None) -> DatasetFeatureStatistics | None:
    """Leaves out what the core aborts on: a composite that is not declared as one."""
    if dataset is None:
        return None
    composites = {each.name for each in (*case.declared.sparse_feature, *case.declared.weighted_feature)}
    kept = [f for f in dataset.features if f.WhichOneof("stats") or f.path.step[0] in composites]
    return DatasetFeatureStatistics(num_examples=dataset.num_examples, features=kept)


@pytest.mark.parametrize("nested", [False, True])
def test_structs_where_floats_are_declared_are_found_and_do_not_end_the_process(nested: bool) -> None:
    measured = Feature(name="x", type=FLOAT)
    measured.float_domain.min = 0
    declared, dataset = Schema(feature=[measured]), DatasetFeatureStatistics(num_examples=10)
    path = ["parent", "x"] if nested else ["x"]
    if nested:
        declared = Schema(
            feature=[Feature(name="parent", type=STRUCT, struct_domain={"feature": [measured]})]
        )
        dataset.features.append(_measured(["parent"], VALUES_OF_STRUCTS))
    dataset.features.append(_measured(path, VALUES_OF_STRUCTS))
    (info,) = anomalies.find(_listed(dataset), declared).anomaly_info.values()
    assert list(info.path.step) == path
    assert [reason.type for reason in info.reason] == [AnomalyInfo.UNEXPECTED_DATA_TYPE]


def _without_composites(dataset: DatasetFeatureStatistics) -> DatasetFeatureStatistics:
    kept = [feature for feature in dataset.features if feature.WhichOneof("stats")]
    return DatasetFeatureStatistics(num_examples=dataset.num_examples, features=kept)


NAMES = ["a", "b", "a2", "c.d", "e", "f", "a b"]


@given(_statistics(NAMES, set(NAMES)))
def test_a_schema_of_portions_is_that_of_the_whole(dataset: DatasetFeatureStatistics) -> None:
    whole = core.infer_schema(_without_composites(dataset), max_string_domain_size=100, infer_shape=True)
    assert schema.infer(_listed(dataset)) == whole


def test_a_portion_holds_few_columns_and_no_column_is_lost() -> None:
    names = [f"column {number}" for number in range(3 * portions.COLUMNS + 1)]
    dataset = DatasetFeatureStatistics(features=[_measured([name], VALUES[0]) for name in names])
    found = list(portions.cut(Schema(), dataset))
    assert [len(portion.current.features) for portion in found] == [*[portions.COLUMNS] * 3, 1]
    assert [f.path.step[0] for portion in found for f in portion.current.features] == names


def test_weights_count_only_if_every_feature_has_them() -> None:
    weighted = "num_stats { common_stats { weighted_common_stats { num_non_missing: 1 } } }"
    columns = [_measured([str(number)], weighted) for number in range(portions.COLUMNS + 1)]
    everywhere = DatasetFeatureStatistics(weighted_num_examples=2, features=columns)
    assert [p.current.weighted_num_examples for p in portions.cut(Schema(), everywhere)] == [2, 2]
    columns[-1].num_stats.common_stats.ClearField("weighted_common_stats")
    but_one = DatasetFeatureStatistics(weighted_num_examples=2, features=columns)
    assert [p.current.weighted_num_examples for p in portions.cut(Schema(), but_one)] == [0, 0]
