"""Hyperparameters: what is refused here no run fails of, and what is taken the training step takes."""

from __future__ import annotations

from typing import Any

import pytest

from steps.train.main import DEFAULTS
from steps.train.main import hyperparameters as taken
from templates.hyperparameters import NUMBERS, WHOLE, read
from templates.table import ConfigError, Table

BOUNDS = {**WHOLE, **NUMBERS}


def table(values: dict[str, Any]) -> Table:
    return Table("config.toml", "training.hyperparameters", values)


def test_the_training_steps_hyperparameters_are_those_known_here() -> None:
    assert BOUNDS.keys() == DEFAULTS.keys()
    assert not WHOLE.keys() & NUMBERS.keys()


@pytest.mark.parametrize("name", BOUNDS)
def test_the_training_step_takes_whatever_is_within_bounds(name: str) -> None:
    for value in BOUNDS[name]:
        given = dict(read(table({name: value})))
        assert taken([], given) == given


def test_they_are_told_as_they_were_written() -> None:
    assert read(table({"eta": 0.3, "num_round": 100, "gamma": 1})) == (
        ("eta", "0.3"),
        ("num_round", "100"),
        ("gamma", "1"),
    )


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("num_round", -1, "num_round is -1: expected a whole number from 1 to 100000"),
        ("num_round", 1.5, "num_round is 1.5"),
        ("num_round", 10**9, "num_round is 1000000000"),
        ("max_depth", 0, "max_depth is 0"),
        ("max_depth", True, "max_depth is True"),
        ("seed", -1, "seed is -1"),
        ("eta", float("nan"), "eta is nan: expected a number from 0 to 1"),
        ("eta", float("inf"), "eta is inf"),
        ("eta", "0.3", "eta is '0.3'"),
        ("eta", "{% $run %}", "eta is '{% $run %}'"),
        ("eta", "{{resolve:ssm:/x}}", "eta is '{{resolve:ssm:/x}}'"),
        ("subsample", 0, "subsample is 0: expected a number from 0.001 to 1"),
        ("lambda", -0.1, "lambda is -0.1"),
        ("Ref", 1, "Ref is not known: take one of num_round, max_depth"),
        ("Fn::Sub", "${x}", "'Fn::Sub' is not known"),
        ("sagemaker_program", "x.py", "sagemaker_program is not known"),
        ("label", "x", "label is not known"),
        ("num_rounds", 1, "num_rounds is not known"),
    ],
)
def test_what_the_training_step_or_sagemaker_would_refuse_is_refused(
    key: str, value: object, told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(table({key: value}))
    assert str(caught.value).startswith("config.toml: training.hyperparameters.")
    assert told in str(caught.value)
    assert len(str(caught.value)) < 500
