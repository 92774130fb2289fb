"""Differences: found where there is one, whatever the order; none where both say the same."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pytest
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList

from validator import difference, show
from validator.difference import Difference

Build = Callable[..., DatasetFeatureStatisticsList]
Read = Callable[[str], Schema]
HOSTILE = "[bold]x[/bold]\x1b[31m\u202e\n"

SCHEMA = """
feature { name: "n" type: INT presence { min_fraction: 1 } int_domain { min: 0 max: 9 } }
feature { name: "t" type: BYTES domain: "t" drift_comparator { infinity_norm { threshold: 0.1 } } }
feature { name: "b" type: INT bool_domain {} }
feature {
  name: "s" type: STRUCT struct_domain { feature { name: "x" type: FLOAT float_domain { min: 0.1 } } }
}
string_domain { name: "t" value: "x" value: "y" }
default_environment: "TRAINING"
"""


def rows(found: Sequence[Difference]) -> list[tuple[str, str, str, str]]:
    return [(each.feature, each.what, each.before, each.after) for each in found]


class TestSchemas:
    def test_a_schema_is_equal_to_itself_in_any_order(self, schema: Read) -> None:
        one, other = schema(SCHEMA), schema(SCHEMA)
        other.feature.sort(key=lambda feature: feature.name)
        other.string_domain[0].value[:] = ["y", "x"]
        assert difference.of_schemas(one, other) == ()
        assert difference.of_schemas(Schema(), Schema()) == ()

    @pytest.mark.parametrize(
        ("part", "instead", "row"),
        [
            ("max: 9", "max: 12", ("n", "int_domain.max", "9", "12")),
            ("type: INT p", "type: FLOAT p", ("n", "type", "INT", "FLOAT")),
            ("min_fraction: 1", "min_count: 1", ("n", "presence.min_fraction", "1", "")),
            (
                "threshold: 0.1",
                "threshold: 0.2",
                ("t", "drift_comparator.infinity_norm.threshold", "0.1", "0.2"),
            ),
            ('value: "y"', 'value: "z" value: "zz"', ("", "string_domain t.value", "y", "z and zz")),
            ("bool_domain {}", "", ("b", "bool_domain", "yes", "")),
            ("min: 0.1", "min: 0.25", ("s.x", "float_domain.min", "0.1", "0.25")),
            ('default_environment: "TRAINING"', "", ("", "default_environment", "TRAINING", "")),
            (
                "bool_domain {}",
                'not_in_environment: "S" bool_domain {}',
                ("b", "not_in_environment", "", "S"),
            ),
        ],
    )
    def test_each_change_is_told(
        self, part: str, instead: str, row: tuple[str, str, str, str], schema: Read
    ) -> None:
        assert part in SCHEMA
        found = rows(difference.of_schemas(schema(SCHEMA), schema(SCHEMA.replace(part, instead))))
        assert row in found
        assert len({(feature, what.partition(".")[0]) for feature, what, _, _ in found}) == 1

    def test_columns_that_come_and_go_are_told_once(self, schema: Read) -> None:
        one, other = schema(SCHEMA), schema('feature { name: "new" type: FLOAT int_domain { min: 1 } }')
        found = rows(difference.of_schemas(one, other))
        assert [row for row in found if row[0]] == [
            ("n", "column", "INT", "absent"),
            ("t", "column", "BYTES", "absent"),
            ("b", "column", "INT", "absent"),
            ("s", "column", "STRUCT", "absent"),
            ("s.x", "column", "FLOAT", "absent"),
            ("new", "column", "absent", "FLOAT"),
        ]

    def test_many_values_are_cut(self, schema: Read) -> None:
        values = " ".join(f'value: "v{number:04}"' for number in range(2_000))
        one, other = schema(SCHEMA), schema(SCHEMA.replace('value: "y"', values))
        (found,) = rows(difference.of_schemas(one, other))
        assert found[3] == "v0000, v0001, v0002, v0003, v0004 and 1,995 more"


class TestStatistics:
    def test_statistics_are_equal_to_themselves(self, statistics: Build) -> None:
        one = statistics(fare=[1.0, 2.5, None], pay=["Cash", "Card", "Cash"], none=[None, None, None])
        assert difference.of_statistics(one, one) == ()

    def test_figures_that_changed_are_told_with_their_distance(self, statistics: Build) -> None:
        one = statistics(n=[1, 2, 3, 4], t=["x", "x", "y", "y"], same=[7, 7, 7, 7])
        other = statistics(n=[1, 2, 3, None], t=["x", "x", "x", "x"], same=[7, 7, 7, 7])
        found = rows(difference.of_statistics(one, other))
        assert ("n", "missing", "0", "1") in found
        assert ("n", "max", "4", "3") in found
        assert ("t", "distinct", "2", "1") in found
        assert ("t", "distance", "", "0.5, drifted") in found
        assert [feature for feature, *_ in found] == sorted(feature for feature, *_ in found)
        assert "same" not in {feature for feature, *_ in found}

    def test_rows_and_columns_that_come_and_go(self, statistics: Build) -> None:
        found = rows(difference.of_statistics(statistics(a=[1, 2]), statistics(b=["x"] * 1_500)))
        assert found == [
            ("", "rows", "2", "1,500"),
            ("a", "column", "INT", "absent"),
            ("b", "column", "absent", "STRING"),
        ]

    def test_values_spread_otherwise_are_told_though_their_figures_are_equal(self, statistics: Build) -> None:
        one, other = statistics(t=["x", "x", "x", "y"]), statistics(t=["x", "y", "y", "y"])
        assert rows(difference.of_statistics(one, other)) == [("t", "distance", "", "0.5, drifted")]

    def test_estimates_within_their_bounds_are_no_difference(self, statistics: Build) -> None:
        columns = {"n": [1.0, 2.0, 3.0, 4.0, 5.0], "t": ["x", "y", "x", "y", "x"]}
        one, other = statistics(columns), statistics(columns)
        for side, off in ((one, 0), (other, 1)):
            number, word = side.datasets[0].features
            number.custom_stats.add(name="rank_error", num=0.01)
            number.num_stats.median += off
            word.custom_stats.add(name="frequency_error", num=0.01)
            word.custom_stats.add(name="distinct_relative_error", num=0.01)
            word.string_stats.unique += off
        assert difference.of_statistics(one, other) == ()
        for feature in (*one.datasets[0].features, *other.datasets[0].features):
            del feature.custom_stats[:]
        found = rows(difference.of_statistics(one, other))
        assert [(feature, what) for feature, what, _, _ in found] == [("n", "median"), ("t", "distinct")]


class TestShown:
    def print(self, found: Sequence[Difference]) -> str:
        stream = io.StringIO()
        show.differences(found, show.console(stream))
        return stream.getvalue()

    def test_none_is_one_word(self) -> None:
        assert self.print(()) == "equal\n"

    def test_each_is_a_line_below_their_number(self) -> None:
        found = [Difference("", "rows", "1", "2"), Difference("n", "max", "3", "4")]
        lines = self.print(found).splitlines()
        assert lines[0] == "2 differences in 1 column"
        assert lines[-2].split() == ["n", "max", "3", "4"]

    def test_hostile_names_and_values_are_tamed(self, schema: Read) -> None:
        one, other = schema(""), schema("")
        for side, value in ((one, "a"), (other, HOSTILE)):
            side.feature.add(name=HOSTILE, type="BYTES", domain=value)
        out = self.print(difference.of_schemas(one, other))
        assert "[bold]x[/bold]\\u001b[31m\\u202e\\u000a" in "".join(out.split())
        assert not {"\x1b", "\u202e"} & set(out)
