from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from validator import cli, settings
from validator.contract import Environment, SchemaPolicy, Verdict
from validator.errors import AbsentError, UsageError
from validator.settings import Child, Settings

TODAY = date(2026, 11, 22)
SHA256 = "0a" * 32
LEAST = {"DATA_URI": "data", "OUTPUT_URI": "out"}


def load(options: Mapping[str, str | None] = LEAST, environment: Mapping[str, str] | None = None) -> Settings:
    return settings.load(options, environment or {}, lambda: TODAY)


def test_data_and_output_are_enough() -> None:
    loaded = load()
    assert loaded.run_date == TODAY
    assert loaded.run_id.startswith("local-")
    assert loaded.schema_policy is SchemaPolicy.BOOTSTRAP
    assert loaded.data_environment == "TRAINING"
    assert loaded.fail_on is None


def test_two_runs_without_an_id_differ() -> None:
    assert load().run_id != load().run_id


def test_an_option_wins_over_the_environment() -> None:
    loaded = load({**LEAST, "RUN_ID": "option"}, {"RUN_ID": "environment", "SCHEMA_URI": "schema"})
    assert (loaded.run_id, loaded.schema_uri) == ("option", "schema")


def test_an_empty_variable_is_unset() -> None:
    loaded = load({**LEAST, "SCHEMA_URI": ""}, {"SCHEMA_URI": "", "BASELINE_URI": "", "RUN_DATE": ""})
    assert (loaded.schema_uri, loaded.baseline_uri, loaded.run_date) == (None, None, TODAY)


def test_the_run_date_is_filled_into_the_data_uri() -> None:
    loaded = load({**LEAST, "DATA_URI": "s3://b/{run_date}/", "RUN_DATE": "2026-01-02"})
    assert loaded.data_uri == "s3://b/2026-01-02/"


def test_words_and_prices_are_typed() -> None:
    loaded = load({**LEAST, "FAIL_ON": "warn", "PRICE_VCPU_HOUR": "0.04048"})
    assert (loaded.fail_on, loaded.price_vcpu_hour) == (Verdict.WARN, Decimal("0.04048"))


@pytest.mark.parametrize(("value", "delimiter"), [("tab", "\t"), (";", ";"), (" ", " "), ("", None)])
def test_a_delimiter_is_one_character_or_the_word_tab(value: str, delimiter: str | None) -> None:
    assert load({**LEAST, "CSV_DELIMITER": value}).delimiter == delimiter


@pytest.mark.parametrize(
    ("value", "columns"),
    [("a,b", ("a", "b")), ('a, "b,c"', ("a", "b,c")), ("a", ("a",)), ("é,ß", ("é", "ß")), ("", None)],
)
def test_columns_are_names_between_commas(value: str, columns: tuple[str, ...] | None) -> None:
    assert load({**LEAST, "CSV_COLUMNS": value}).columns == columns


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"OUTPUT_URI": "o"}, "--data (DATA_URI) or --manifest (MANIFEST_URI)"),
        ({"DATA_URI": "d"}, "--output"),
        ({**LEAST, "RUN_DATE": "2026-02-30"}, "2026-11-22"),
        ({**LEAST, "RUN_DATE": "20261122"}, "2026-11-22"),
        ({**LEAST, "RUN_DATE": "2026-1-2"}, "2026-11-22"),
        ({**LEAST, "RUN_DATE": "../../etc"}, "2026-11-22"),
        ({**LEAST, "SCHEMA_POLICY": "maybe"}, "bootstrap, require"),
        ({**LEAST, "SCHEMA_POLICY": "require"}, "--schema"),
        ({**LEAST, "FAIL_ON": "sometimes"}, "pass, warn, fail"),
        ({**LEAST, "CSV_DELIMITER": "::"}, "not one ASCII character, nor the word tab"),
        ({**LEAST, "CSV_DELIMITER": '"'}, "not one ASCII character"),
        ({**LEAST, "CSV_DELIMITER": "\n"}, "not one ASCII character"),
        ({**LEAST, "CSV_DELIMITER": "§"}, "not one ASCII character"),
        ({**LEAST, "CSV_COLUMNS": "a,,b"}, "not names like a,b,c"),
        ({**LEAST, "CSV_COLUMNS": "a,b,a"}, "not names like a,b,c"),
        ({**LEAST, "CSV_COLUMNS": "a\nb"}, "not names like a,b,c"),
        ({**LEAST, "CSV_COLUMNS": 'a,"b'}, "put a name with a comma between quotation marks"),
        ({**LEAST, "CSV_COLUMNS": "a,b\udce9"}, r"CSV_COLUMNS is 'a,b\udce9'"),
        ({**LEAST, "CSV_COLUMNS": "a," + "b" * 140_000}, "bbb…: not names like a,b,c"),
        ({**LEAST, "WORKERS": "9" * 4_999}, "999…: not a whole number from 1 to 1,000,000"),
        ({**LEAST, "MEMORY_BUDGET_MB": "9" * 4_999}, "not a whole number from 1 to 1,000,000"),
        ({**LEAST, "WORKERS": "1000001"}, "not a whole number"),
        ({**LEAST, "WORKERS": "0"}, "not a whole number"),
        ({**LEAST, "WORKERS": "²"}, "not a whole number"),
        ({**LEAST, "RUN_ID": "a" * 100_000}, "too long for gate.json"),
        ({**LEAST, "OUTPUT_URI": "s3://b/" + "a" * 4_000}, "too long for gate.json"),
        ({**LEAST, "PRICE_GB_HOUR": "cheap"}, "US dollars"),
        ({**LEAST, "BASELINE_SHA256": SHA256}, "name one with --baseline (BASELINE_URI)"),
        ({**LEAST, "BASELINE_URI": "b", "BASELINE_SHA256": "abc"}, "'abc': not 64 hexadecimal digits"),
        ({**LEAST, "BASELINE_URI": "b", "BASELINE_SHA256": f"{SHA256}\n"}, "not 64 hexadecimal digits"),
        ({**LEAST, "BASELINE_URI": "b", "BASELINE_SHA256": "g" * 64}, "not 64 hexadecimal digits"),
        ({**LEAST, "PRICE_GB_HOUR": "NaN"}, "not a price"),
        ({**LEAST, "PRICE_GB_HOUR": "-1"}, "not a price"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(options: dict[str, str | None], part: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(options)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("given", "expected"), [(SHA256, SHA256), (SHA256.upper(), SHA256), ("", None)])
def test_what_a_baseline_has_to_be_is_written_in_any_way(given: str, expected: str | None) -> None:
    assert load({**LEAST, "BASELINE_URI": "b", "BASELINE_SHA256": given}).baseline_sha256 == expected


def test_no_baseline_and_no_sha256_are_none() -> None:
    assert load({**LEAST, "BASELINE_URI": "", "BASELINE_SHA256": ""}).baseline_sha256 is None


def test_numbers_and_run_ids_within_their_limits_are_taken() -> None:
    loaded = load({**LEAST, "WORKERS": "1000000", "MEMORY_BUDGET_MB": "1", "RUN_ID": "a" * 10_000})
    assert (loaded.workers, loaded.memory_budget_mb, len(loaded.run_id)) == (1_000_000, 1, 10_000)


SHARD: Mapping[str, str | None] = {**LEAST, "SHARD_INDEX": None, "SHARD_COUNT": None}
"""What the command `profile` gives: options that nobody set."""


@pytest.mark.parametrize(
    ("environment", "child"),
    [
        ({}, None),
        ({"SHARD_INDEX": "0", "SHARD_COUNT": "1"}, Child(0, 1)),
        ({"SHARD_INDEX": "9999", "SHARD_COUNT": "10000"}, Child(9_999, 10_000)),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "7", "SHARD_COUNT": "8"}, Child(7, 8)),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "7", "SHARD_INDEX": "3", "SHARD_COUNT": "8"}, Child(3, 8)),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "7", "SHARD_INDEX": "", "SHARD_COUNT": "8"}, Child(7, 8)),
    ],
)
def test_a_child_knows_which_it_is(environment: Mapping[str, str], child: Child | None) -> None:
    assert load(SHARD, environment).child == child


def test_who_has_no_option_of_shards_does_not_heed_them() -> None:
    loaded = load(LEAST, {"SHARD_INDEX": "x", "SHARD_COUNT": "8"})
    assert (loaded.child, loaded.children) == (None, 1)


def test_a_merge_needs_the_count_alone() -> None:
    asked = {**LEAST, "SHARD_COUNT": None}
    loaded = load(asked, {"SHARD_INDEX": "x", "SHARD_COUNT": "8", "STATES_URI": "elsewhere"})
    assert (loaded.child, loaded.children, loaded.states_uri) == (None, 8, "elsewhere")
    assert load(asked).children == 1


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"SHARD_INDEX": "8", "SHARD_COUNT": "8"}, "SHARD_INDEX is 8: not from 0 to 7, as SHARD_COUNT is 8"),
        ({"SHARD_INDEX": "0"}, "SHARD_INDEX is 0: SHARD_COUNT is not given; give both, or none"),
        ({"SHARD_COUNT": "8"}, "SHARD_COUNT is 8: SHARD_INDEX is not given; give both, or none"),
        (
            {"AWS_BATCH_JOB_ARRAY_INDEX": "x", "SHARD_COUNT": "8"},
            "AWS_BATCH_JOB_ARRAY_INDEX is 'x': not a whole number from 0 to 9,999",
        ),
        (
            {"SHARD_INDEX": "0", "SHARD_COUNT": "0"},
            "SHARD_COUNT is '0': not a whole number from 1 to 10,000",
        ),
        (
            {"SHARD_INDEX": "0", "SHARD_COUNT": "10001"},
            "SHARD_COUNT is '10001': not a whole number from 1 to 10,000",
        ),
        (
            {"SHARD_INDEX": "10000", "SHARD_COUNT": "10000"},
            "SHARD_INDEX is '10000': not a whole number from 0 to 9,999",
        ),
        (
            {"SHARD_INDEX": "1.0", "SHARD_COUNT": "8"},
            "SHARD_INDEX is '1.0': not a whole number from 0 to 9,999",
        ),
        (
            {"SHARD_INDEX": "\u0661", "SHARD_COUNT": "8"},
            "SHARD_INDEX is '\u0661': not a whole number from 0 to 9,999",
        ),
        (
            {"SHARD_INDEX": "\n", "SHARD_COUNT": "8"},
            r"SHARD_INDEX is '\n': not a whole number from 0 to 9,999",
        ),
    ],
)
def test_a_mistake_about_shards_is_one_line(environment: Mapping[str, str], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(SHARD, environment)
    assert str(caught.value) == line


def test_threads_are_limited_before_numpy_is_there() -> None:
    code = (
        "import os, sys; from validator import settings; settings.settle_native_libraries();"
        "print('numpy' in sys.modules, os.environ['OPENBLAS_NUM_THREADS'])"
    )
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS")}
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert result.stdout.split() == ["False", "1"]


def test_a_setting_that_names_something_elsewhere_is_named_with_its_option() -> None:
    for setting, option in settings.OPTIONS.items():
        with (
            pytest.raises(AbsentError, match=rf"^cannot read x; {setting} \({option}\) names it$"),
            settings.blamed(Environment(setting)),
        ):
            raise AbsentError("cannot read x")
        assert {command: taken_by(command)[option] for command in ("validate", "merge")} == {
            "validate": setting,
            "merge": setting,
        }


def taken_by(command: str) -> dict[str, str]:
    """Option of a command -> the setting it gives."""
    return {option.opts[0]: str(option.name) for option in cli.commands.commands[command].params}
