"""Train's decisions, without XGBoost: which problem, which scores, which hyperparameters."""

from __future__ import annotations

import io
import math
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.train.main import (
    DEFAULTS,
    ChampionError,
    Encoder,
    Feature,
    IncomparableError,
    Problem,
    Settings,
    TrainError,
    auc,
    common_metric,
    feature,
    hyperparameters,
    member,
    mlogloss,
    problem,
    rmse,
)

CHANNELS = {
    "SM_CHANNEL_TRAIN": "/in/train",
    "SM_CHANNEL_VALIDATION": "/in/validation",
    "SM_MODEL_DIR": "/model",
}


@pytest.mark.parametrize(
    ("labels", "objective", "metric", "classes"),
    [
        ([0, 1, 1], "binary:logistic", "auc", [0, 1]),
        (["no", "yes"], "binary:logistic", "auc", ["no", "yes"]),
        ([-1.5, 2.5], "binary:logistic", "auc", [-1.5, 2.5]),
        ([2, 0, 1], "multi:softprob", "mlogloss", [0, 1, 2]),
        ([1.0, 2.0, 3.0], "multi:softprob", "mlogloss", [1.0, 2.0, 3.0]),
        (["b", "a", "c"], "multi:softprob", "mlogloss", ["a", "b", "c"]),
        (list(range(20)), "multi:softprob", "mlogloss", list(range(20))),
        (list(range(21)), "reg:squarederror", "rmse", None),
        ([0.5, 1.5, 2.0], "reg:squarederror", "rmse", None),
    ],
)
def test_the_label_says_what_is_learnt(
    labels: list[Any], objective: str, metric: str, classes: list[Any]
) -> None:
    found = problem(labels, "y")

    assert (found.objective, found.metric, found.classes) == (objective, metric, classes)


def test_several_classes_are_counted_for_xgboost() -> None:
    assert problem([0, 1, 2], "y").parameters["num_class"] == 3
    assert "num_class" not in problem([0, 1], "y").parameters


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        ([1, 1, 1], "the label 'y' is constant: every row says 1"),
        ([f"id-{n}" for n in range(30)], "a different text in each row"),
        ([f"city-{n}" for n in range(21)] * 2, "21 texts: at most 20 classes"),
    ],
)
def test_a_label_that_cannot_be_learnt_is_refused(labels: list[Any], line: str) -> None:
    with pytest.raises(TrainError, match=line):
        problem(labels, "y")


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=1))
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[bool, int]]) -> None:
    pairs = [(up > down) + (up == down) / 2 for yes, up in rows if yes for no, down in rows if not no]
    found = auc(np.array([float(yes) for yes, _ in rows]), np.array([score for _, score in rows]))

    assert found == pytest.approx(np.mean(pairs)) if pairs else math.isnan(found)


def test_rmse_is_in_the_labels_unit() -> None:
    assert rmse(np.array([0.0, 0.0]), np.array([3.0, 4.0])) == pytest.approx(math.sqrt(12.5))


def test_mlogloss_of_a_sure_mistake_is_large_but_finite() -> None:
    sure = np.array([[1.0, 0.0], [0.25, 0.75]])

    assert mlogloss(np.array([0.0, 1.0]), sure) == pytest.approx(-math.log(0.75) / 2)
    assert mlogloss(np.array([1.0, 1.0]), sure) == pytest.approx((34.539 - math.log(0.75)) / 2, abs=1e-3)


def test_a_class_that_was_not_learnt_is_a_sure_mistake_by_log_loss() -> None:
    sure = np.array([[1.0, 0.0], [0.25, 0.75]])

    assert mlogloss(np.array([0.0, math.nan]), sure) == pytest.approx(34.539 / 2, abs=1e-3)


def test_of_two_classes_the_share_of_the_second_says_it_all() -> None:
    of_the_second, of_both = np.array([0.2, 0.9]), np.array([[0.8, 0.2], [0.1, 0.9]])
    truth = np.array([0.0, 1.0])

    assert mlogloss(truth, of_the_second) == pytest.approx(mlogloss(truth, of_both))


def learnt(labels: list[Any], name: str = "y") -> Encoder:
    return Encoder(name, problem(labels, name), [])


@pytest.mark.parametrize(
    ("ours", "theirs", "metric"),
    [
        (["no", "yes"], ["yes", "no"], "auc"),
        (["a", "b", "c"], ["a", "b", "c"], "mlogloss"),
        ([0.5, 1.5, 2.5], [7.5, 8.5, 9.5], "rmse"),
        # Absent today, or new.
        (["a", "b", "c"], ["a", "b", "c", "rare"], "mlogloss"),
        (["a", "b", "c", "new"], ["a", "b", "c"], "mlogloss"),
        (["a", "b"], ["a", "b", "rare"], "mlogloss"),
        (["a", "b"], ["a", "c"], "mlogloss"),
    ],
)
def test_models_of_one_label_are_compared_whatever_classes_a_day_has(
    ours: list[Any], theirs: list[Any], metric: str
) -> None:
    assert common_metric(learnt(ours), learnt(theirs)) == metric


@pytest.mark.parametrize(
    ("theirs", "line"),
    [
        (learnt(["a", "b"], "z"), "it learnt 'z', not 'y'"),
        (learnt([0.5, 1.5, 2.5]), "it learnt 'y' by reg:squarederror"),
    ],
)
def test_models_of_something_else_are_not_compared(theirs: Encoder, line: str) -> None:
    with pytest.raises(IncomparableError, match=line):
        common_metric(learnt(["a", "b", "c"]), theirs)


def test_numbers_stay_and_texts_keep_their_most_frequent_values() -> None:
    counts = {f"v{n:03d}": 500 - n for n in range(150)}

    assert feature("n", None) == Feature("n", None)
    assert feature("c", counts) == Feature("c", [f"v{n:03d}" for n in range(100)])
    assert feature("tie", {"b": 3, "a": 3}) == Feature("tie", ["a", "b"])
    assert feature("empty", {}) == Feature("empty", [])


@pytest.mark.parametrize(("distinct", "rows", "kept"), [(95, 100, False), (80, 100, True), (15, 15, True)])
def test_a_text_that_names_its_row_is_left_out(distinct: int, rows: int, kept: bool) -> None:
    counts = dict.fromkeys((f"id-{n}" for n in range(distinct)), 1)
    counts["id-0"] += rows - distinct

    assert (feature("c", counts) is not None) is kept


def test_an_encoder_survives_its_json() -> None:
    known = Encoder(
        "y",
        Problem("multi:softprob", "mlogloss", "mlogloss", ["a", "ü"]),
        [Feature('a "b".c'), Feature("`x`", ["Grüße", ""])],
    )

    assert Encoder.parse(known.to_json().encode()) == known


def test_the_command_line_wins_over_sm_hps() -> None:
    found = Settings.parse(
        ["--label", "--odd name", "--eta", "0.1"],
        {**CHANNELS, "SM_HPS": '{"label": "y", "max_depth": 3, "sagemaker_program": "main.py"}'},
    )

    assert (found.label, found.champion, found.model) == ("--odd name", None, Path("/model"))
    assert found.parameters == {**DEFAULTS, "eta": "0.1", "max_depth": "3"}


def test_a_champion_is_a_channel() -> None:
    found = Settings.parse(["--label", "y"], {**CHANNELS, "SM_CHANNEL_CHAMPION": "/in/champion"})

    assert found.champion == Path("/in/champion")


@pytest.mark.parametrize("missing", [*CHANNELS, "label"])
def test_what_is_missing_is_named(missing: str) -> None:
    environment = {name: value for name, value in CHANNELS.items() if name != missing}

    with pytest.raises(TrainError, match=f"{missing} is not given"):
        Settings.parse([] if missing == "label" else ["--label", "y"], environment)


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["--etaa", "1"], "unknown hyperparameter 'etaa'"),
        (["--eta"], "cannot read"),
        (["eta", "1"], "cannot read"),
    ],
)
def test_a_slip_of_the_pen_is_refused(argv: list[str], line: str) -> None:
    with pytest.raises(TrainError, match=line):
        hyperparameters(argv, {})


@pytest.mark.parametrize(("name", "value"), [("num_round", "many"), ("eta", "x")])
def test_a_hyperparameter_is_a_number(name: str, value: str) -> None:
    with pytest.raises(TrainError, match=f"hyperparameter {name} is '{value}'"):
        hyperparameters([f"--{name}", value], {})


def test_a_champions_file_is_read_without_unpacking() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, kind, content in (
            ("link", tarfile.SYMTYPE, b""),
            ("./features.json", tarfile.REGTYPE, b"{}"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), "/etc/passwd"
            tar.addfile(info, io.BytesIO(content))
    stream.seek(0)
    with tarfile.open(fileobj=stream) as tar:
        assert member(tar, "features.json") == b"{}"
        for name in ("link", "xgboost-model", "../features.json"):
            with pytest.raises(ChampionError, match=f"no {name}"):
                member(tar, name)
