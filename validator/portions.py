"""Schema and statistics cut into portions of a few columns each, for TFDV's core.

The core judges each feature on a copy of the whole schema, so its time grows with the square of the number of
columns: 5,000 take 35 CPU seconds together and 1 in portions. Judging is local to a column with the fields
below it, the composites (sparse and weighted features) of the same name, and the string domains it names; the
constraints of the dataset as a whole go with the first portion alone. So the answers, put together, are those
that the core gives for everything at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatistics

from validator import features

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0.schema_pb2 import Feature
    from tensorflow_metadata.proto.v0.statistics_pb2 import FeatureNameStatistics

COLUMNS: Final = 20
"""Of one portion: each call has a fixed cost, and a cost for each pair of columns."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What the core has to know to judge some columns."""

    schema: Schema
    current: DatasetFeatureStatistics
    previous: DatasetFeatureStatistics | None


def cut(
    schema: Schema, current: DatasetFeatureStatistics, previous: DatasetFeatureStatistics | None = None
) -> Iterator[Portion]:
    """Yields portions that together hold every column of the schema and of the data; at least one.

    Args:
        schema: What the data is held against.
        current: Statistics of the dataset under judgement.
        previous: Statistics of the baseline; a column that only they have plays no part.
    """
    declared = _Declared(schema)
    now = _Measured(current, declared.composites)
    before = _Measured(previous, declared.composites) if previous is not None else None
    for number, names in enumerate(_portions(dict.fromkeys([*declared.names, *now.columns]))):
        portion = Portion(
            declared.only(names, with_constraints=number == 0),
            now.only(names),
            before.only(names) if before is not None else None,
        )
        _spare_structs(portion)
        yield portion


def of_statistics(statistics: DatasetFeatureStatistics) -> Iterator[DatasetFeatureStatistics]:
    """Yields portions of the statistics alone, in the order of their columns; at least one."""
    measured = _Measured(statistics, ())
    for names in _portions(measured.columns):
        yield measured.only(names)


class _Declared:
    """A schema, indexed by the name of its columns and of its domains."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._features = _by_name(schema.feature)
        self._sparse = _by_name(schema.sparse_feature)
        self._weighted = _by_name(schema.weighted_feature)
        self._domains = _by_name(schema.string_domain)
        self.composites = frozenset([*self._sparse, *self._weighted])
        self.names = dict.fromkeys([*self._features, *self._sparse, *self._weighted])

    def only(self, names: Sequence[str], *, with_constraints: bool) -> Schema:
        features = _picked(self._features, names)
        return Schema(
            feature=features,
            sparse_feature=_picked(self._sparse, names),
            weighted_feature=_picked(self._weighted, names),
            string_domain=_picked(self._domains, sorted(_domains_of(features))),
            default_environment=self._schema.default_environment,
            dataset_constraints=self._constraints(with_constraints),
        )

    def _constraints(self, with_constraints: bool) -> Any:
        wanted = with_constraints and self._schema.HasField("dataset_constraints")
        return self._schema.dataset_constraints if wanted else None


class _Measured:
    """Statistics, indexed by the name of their columns.

    Statistics of a composite that the schema does not declare are left out: the core would abort the process.
    """

    def __init__(self, statistics: DatasetFeatureStatistics, composites: Collection[str]) -> None:
        self._statistics = statistics
        # Never empty bytes for a portion without columns: they are "no statistics at all" to the core.
        self._name = features.DEFAULT_SLICE if statistics.ListFields() else ""
        self._is_weighted = _is_weighted(statistics)
        self.columns: dict[str, list[FeatureNameStatistics]] = defaultdict(list)
        for feature in statistics.features:
            column = _column(feature)
            if column in composites or features.common(feature) is not None:
                self.columns[column].append(feature)

    def only(self, names: Sequence[str]) -> DatasetFeatureStatistics:
        return DatasetFeatureStatistics(
            name=self._name,
            num_examples=self._statistics.num_examples,
            weighted_num_examples=self._statistics.weighted_num_examples if self._is_weighted else 0,
            features=_picked(self.columns, names),
        )


def _spare_structs(portion: Portion) -> None:
    """Takes the float_domain from a feature whose values are structs: the core would abort the process.

    That the values are of another type than declared is found all the same.
    """
    for measured in portion.current.features:
        if measured.HasField("struct_stats") and (
            declared := _feature_at(portion.schema, measured.path.step)
        ):
            declared.ClearField("float_domain")


def _feature_at(schema: Schema, path: Sequence[str]) -> Feature | None:
    """Returns the feature that a schema declares at a path."""
    found, siblings = None, schema.feature
    for step in path:
        found = next((feature for feature in siblings if feature.name == step), None)
        if found is None:
            return None
        siblings = found.struct_domain.feature
    return found


def _portions(names: Iterable[str]) -> Iterator[Sequence[str]]:
    """Yields the names a few at a time; one empty portion when there are none."""
    remaining = iter(names)
    portion = list(islice(remaining, COLUMNS))
    while True:
        yield portion
        portion = list(islice(remaining, COLUMNS))
        if not portion:
            return


def _column(feature: FeatureNameStatistics) -> str:
    """Returns the name of the column that a feature is or is nested in."""
    return str(feature.name or next(iter(feature.path.step), ""))


def _is_weighted(statistics: DatasetFeatureStatistics) -> bool:
    """Says whether the core goes by weights: only if every feature has them."""
    if not statistics.weighted_num_examples:
        return False
    counts = (features.common(feature) for feature in statistics.features)
    return all(count is not None and count.HasField("weighted_common_stats") for count in counts)


def _by_name(elements: Iterable[Any]) -> Mapping[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for element in elements:
        found[element.name].append(element)
    return found


def _picked(index: Mapping[str, list[Any]], names: Iterable[str]) -> list[Any]:
    return [element for name in names for element in index.get(name, ())]


def _domains_of(declared: Iterable[Feature]) -> Set[str]:
    """Returns the names of the schema's string domains that features refer to, nested ones included."""
    found: set[str] = set()
    for feature in declared:
        if feature.domain:
            found.add(feature.domain)
        found |= _domains_of(feature.struct_domain.feature)
    return found
