"""Cron expressions: what EventBridge Scheduler takes, and what it would answer with a failed deployment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates import cron


@pytest.mark.parametrize(
    "fields",
    [
        # AWS's own examples.
        "0 10 * * ? *",
        "15 12 * * ? *",
        "0 18 ? * MON-FRI *",
        "0 8 1 * ? *",
        "0/15 * * * ? *",
        "0/10 * ? * MON-FRI *",
        "0/5 8-17 ? * MON-FRI *",
        "15 10 ? * 6L 2022-2023",
        "0 9 ? * 2#1 *",
        "0 0 L * ? *",
        "0 0 3W * ? *",
        "0 0 ? * L *",
        "0 0 ? * FRI#5 *",
        "0 0 ? * FRIL *",
        "1/10 * * * ? *",
        "*/20 * * * ? *",
        "0-30/5,45 0,12 1,15,31 JAN,6-8,DEC ? 1970,2199",
        "05 03 01 01 ? 2026",
        "0 0 */2 */3 ? */4",
        "0 0 ? * SUN,2,WED-FRI *",
    ],
)
def test_what_scheduler_takes_is_taken(fields: str) -> None:
    cron.check(f"cron({fields})")


SIX = "expected six fields"
ONE = "one of day of the month and day of the week must be ?"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("30 3 * * * *", ONE),
        ("30 3 1 * MON *", ONE),
        ("* * ? * ? *", ONE),
        ("30 3 * * MON-FRI *", ONE),
        ("", SIX),
        ("30 3 * * ?", SIX),
        ("30 3 * * ? * *", SIX),
        ("30  3 * * ? *", SIX),
        ("30 3 * * ? *\n", SIX),
        (f"{','.join(['30'] * 100)} 3 * * ? *", SIX),
        ("60 3 * * ? *", "minutes cannot be '60': values are 0-59"),
        ("99 99 * * ? *", "minutes cannot be '99'"),
        ("30 24 * * ? *", "hours cannot be '24': values are 0-23"),
        (f"{'1' * 200} 3 * * ? *", "minutes cannot be '111"),
        ("-1 3 * * ? *", "minutes cannot be '-1'"),
        ("? 3 * * ? *", "minutes cannot be '?'"),
        ("30-10 3 * * ? *", "minutes cannot be '30-10'"),
        ("10- 3 * * ? *", "minutes cannot be '10-'"),
        ("1-2-3 3 * * ? *", "minutes cannot be '1-2-3'"),
        ("*-5 3 * * ? *", "minutes cannot be '*-5'"),
        ("10, 3 * * ? *", "minutes cannot be ''"),
        ("*/0 3 * * ? *", "minutes cannot be '*/0'"),
        ("*/60 3 * * ? *", "minutes cannot be '*/60'"),
        ("*/ 3 * * ? *", "minutes cannot be '*/'"),
        ("/5 3 * * ? *", "minutes cannot be '/5'"),
        ("1/2/3 3 * * ? *", "minutes cannot be '1/2/3'"),
        ("\u0663 3 * * ? *", "minutes cannot be '\u0663'"),
        ("L 3 * * ? *", "minutes cannot be 'L'"),
        ("30 3 0 * ? *", "day of the month cannot be '0': values are 1-31"),
        ("30 3 32 * ? *", "day of the month cannot be '32'"),
        ("30 3 32W * ? *", "day of the month cannot be '32W'"),
        ("30 3 W * ? *", "day of the month cannot be 'W'"),
        ("30 3 LW * ? *", "day of the month cannot be 'LW'"),
        ("30 3 L,15 * ? *", "day of the month cannot be 'L'"),
        ("30 3 ?,1 * MON *", "day of the month cannot be '?'"),
        ("30 3 * 13 ? *", "month cannot be '13': values are 1-12 or JAN-DEC"),
        ("30 3 * MON ? *", "month cannot be 'MON'"),
        ("30 3 * jan ? *", "month cannot be 'jan'"),
        ("30 3 ? * 0 *", "day of the week cannot be '0': values are 1-7 or SUN-SAT"),
        ("30 3 ? * 8 *", "day of the week cannot be '8'"),
        ("30 3 ? * FRI-MON *", "day of the week cannot be 'FRI-MON'"),
        ("30 3 ? * MON/2 *", "day of the week cannot be 'MON/2'"),
        ("30 3 ? * 3#6 *", "day of the week cannot be '3#6'"),
        ("30 3 ? * 3#1,6#3 *", "day of the week cannot be '3#1'"),
        ("30 3 * * ? 1900", "year cannot be '1900': values are 1970-2199"),
        ("30 3 * * ? 2200", "year cannot be '2200'"),
        ("30 3 * * ? 26", "year cannot be '26'"),
        ("A B C D E F", "minutes cannot be 'A'"),
    ],
)
def test_what_scheduler_would_refuse_is_told_by_field(fields: str, told: str) -> None:
    with pytest.raises(cron.CronError) as caught:
        cron.check(f"cron({fields})")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "expression", ["rate(1 day)", "at(2026-11-23T00:00:00)", "30 3 * * ? *", "", "cron()"]
)
def test_other_expressions_are_none(expression: str) -> None:
    with pytest.raises(cron.CronError, match=SIX):
        cron.check(expression)


def is_taken(expression: str) -> bool:
    try:
        cron.check(expression)
    except cron.CronError:
        return False
    return True


@given(st.lists(st.text(alphabet="0123456789*?,-/LW#MONJAN", min_size=1, max_size=6), min_size=6, max_size=6))
def test_whatever_is_written_it_is_taken_or_refused(fields: list[str]) -> None:
    assert not is_taken(f"cron({' '.join(fields)})") or fields.count("?") == 1
