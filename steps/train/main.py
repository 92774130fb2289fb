"""Train: fits a gradient-boosted model and scores it, and the champion, on the validation split.

    splits -> problem -> encoder -> model -> scores -> model.tar.gz

A SageMaker script-mode program (XGBoost container), shipped as this one file; Python 3.9 or later, pandas
1.5 or later, XGBoost 1.7 or later. What lies in SM_MODEL_DIR when it ends becomes model.tar.gz:
``xgboost-model`` (UBJSON), ``features.json`` (the encoder) and ``metrics.json`` (the scores). Every error a
person can do something about is one line and exit code 1.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import xgboost as xgb

    Array = np.ndarray[Any, np.dtype[Any]]
    Label = int | float | str

MODEL = "xgboost-model"
FEATURES = "features.json"
METRICS = "metrics.json"
FAILURE = Path("/opt/ml/output/failure")
"""SageMaker shows the first kilobyte of this file as the job's FailureReason."""

DEFAULTS = {
    "num_round": "100",
    "eta": "0.3",
    "max_depth": "6",
    "min_child_weight": "1",
    "subsample": "1",
    "colsample_bytree": "1",
    "lambda": "1",
    "alpha": "0",
    "gamma": "0",
    "seed": "0",
}
"""Hyperparameters and their values when none are given, spelt as XGBoost spells them."""

COUNTS = ("num_round", "max_depth")

MIN_ROWS = 20
"""Of the training split."""

MAX_CLASSES = 20
MAX_CATEGORIES = 100
"""A text column's most frequent values are told apart, the others are one."""

IDENTIFIER_SHARE = 0.9
"""A text column with more distinct values than this share of its values names its rows."""

ARCHIVE_LIMIT = 1024**3
"""Bytes of a file in the champion's archive."""


class TrainError(Exception):
    """Something is wrong with the data or the arguments; its text is the one line that is shown."""


class ChampionError(Exception):
    """The champion can serve these data no more: a column or its archive is gone; its text says why."""


class IncomparableError(Exception):
    """The champion learnt something else, so no score says which model is better; its text says what."""


# --- What is to be learnt -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """What kind of label is learnt, and how a model of it is scored."""

    objective: str
    loss: str
    """XGBoost's name of what is made small, and decides when to stop."""
    metric: str
    """What it is scored by, and compared with a model of the same classes."""
    classes: list[Label] | None
    """Labels in the order of their codes; None for a number."""

    @property
    def parameters(self) -> dict[str, Any]:
        """XGBoost's parameters for this problem."""
        several = self.classes is not None and len(self.classes) > 2
        counted = {"num_class": len(self.classes)} if several and self.classes else {}
        return {"objective": self.objective, "eval_metric": self.loss, **counted}


def problem(labels: Sequence[Any], name: str) -> Problem:
    """Choose the problem from the training labels.

    Two values are a binary classification scored by AUC; up to 20 texts or whole numbers a multi-class one
    scored by log loss; other numbers a regression scored by RMSE.

    Raises:
        TrainError: There is nothing to learn: one value only, or too many different texts.
    """
    distinct = sorted(set(labels), key=lambda label: (str(type(label)), label))
    if len(distinct) < 2:
        raise TrainError(
            f"the label {name!r} is constant: every row says {distinct[0]!r}; choose another label"
        )
    text = any(isinstance(label, str) for label in distinct)
    if len(distinct) == 2:
        return Problem("binary:logistic", "logloss", "auc", distinct)
    if len(distinct) <= MAX_CLASSES and (text or all(float(label).is_integer() for label in distinct)):
        return Problem("multi:softprob", "mlogloss", "mlogloss", distinct)
    if text:
        found = "a different text in each row" if len(distinct) == len(labels) else f"{len(distinct):,} texts"
        raise TrainError(f"the label {name!r} has {found}: at most {MAX_CLASSES} classes can be learnt")
    return Problem("reg:squarederror", "rmse", "rmse", None)


# --- Scores -------------------------------------------------------------------------------------------------


def auc(truth: Array, scores: Array) -> float:
    """Return the area under the ROC curve (Mann-Whitney U, ties count half).

    Args:
        truth: 0 or 1 for each row.
        scores: Any number that grows with the probability of 1.
    """
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not (positives and negatives):
        return math.nan
    return float((ranks[truth == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def rmse(truth: Array, scores: Array) -> float:
    """Return the root of the mean squared error, in the label's unit."""
    return float(np.sqrt(np.mean((truth - scores) ** 2)))


def mlogloss(truth: Array, scores: Array) -> float:
    """Return the mean negative logarithm of the probability given to the true class.

    Args:
        truth: Code of the class of each row; NaN for one that was not learnt, to which a model gives nothing.
        scores: Probabilities, rows x classes; of two classes also those of the second alone.
    """
    shares = scores if scores.ndim == 2 else np.column_stack([1 - scores, scores])
    learnt = np.flatnonzero(~np.isnan(truth))
    likelihood = np.zeros(len(truth))
    likelihood[learnt] = shares[learnt, truth[learnt].astype(int)]
    return float(-np.mean(np.log(np.clip(likelihood, 1e-15, 1.0))))


SCORES: dict[str, Callable[[Array, Array], float]] = {"auc": auc, "rmse": rmse, "mlogloss": mlogloss}
GREATER_IS_BETTER = {"auc": True, "rmse": False, "mlogloss": False}


def common_metric(ours: Encoder, theirs: Encoder) -> str:
    """Return what two models are compared by.

    A class that is absent today, or is new, makes no other problem of it: then both are held to all rows, by
    log loss. Labels that one of them has not learnt are its mistakes, as they would be in service.

    Raises:
        IncomparableError: They learnt different labels, or one a number and the other a class.
    """
    if ours.label != theirs.label:
        raise IncomparableError(f"it learnt {theirs.label!r}, not {ours.label!r}")
    if (ours.problem.classes is None) != (theirs.problem.classes is None):
        raise IncomparableError(f"it learnt {theirs.label!r} by {theirs.problem.objective}")
    return ours.problem.metric if ours.problem.classes == theirs.problem.classes else "mlogloss"


# --- Encoder ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Feature:
    """How one column becomes a number: as it is, or by its place among the known values."""

    name: str
    categories: list[str] | None = None
    """Most frequent first; None for a number."""


@dataclass(frozen=True)
class Encoder:
    """How rows become the model's input, and labels its target; lies beside the model as features.json."""

    label: str
    problem: Problem
    features: list[Feature]

    def to_json(self) -> str:
        """Return the encoder as JSON."""
        return json.dumps({"version": 1, **asdict(self)}, indent=1)

    @classmethod
    def parse(cls, text: bytes) -> Encoder:
        """Read what ``to_json`` wrote."""
        document = json.loads(text)
        known = [Feature(**feature) for feature in document["features"]]
        return cls(document["label"], Problem(**document["problem"]), known)

    def encode(self, rows: pd.DataFrame) -> Array:
        """Return float32, rows x features; NaN for missing.

        Raises:
            KeyError: A column is not there.
        """
        matrix = np.empty((len(rows), len(self.features)), dtype=np.float32)
        for place, feature in enumerate(self.features):
            others = float(len(feature.categories or ()))
            matrix[:, place] = codes(rows[feature.name], feature.categories, others)
        return matrix

    def target(self, rows: pd.DataFrame) -> Array:
        """Return the labels as float64; NaN for a class that was not learnt."""
        return codes(rows[self.label], self.problem.classes, math.nan)


def codes(values: pd.Series, known: Sequence[Label] | None, others: float) -> Array:
    """Return a column as float64; missing values stay missing.

    Args:
        values: The column.
        known: Values in the order of their codes; None leaves numbers as they are.
        others: Code of the values that are not known.
    """
    if known is None:
        return np.asarray(values.astype(float))
    code = {value: float(place) for place, value in enumerate(known)}
    return np.asarray(values.map(lambda value: code.get(value, others), na_action="ignore"), dtype=float)


def feature(name: str, counts: Mapping[str, int] | None) -> Feature | None:
    """Choose how a column is encoded.

    Args:
        name: The column's name.
        counts: How often each text occurs; None for numbers.

    Returns:
        The feature, or None for texts that name rows instead of describing them: nearly all are different.
    """
    if counts is None:
        return Feature(name)
    if len(counts) > max(MAX_CLASSES, IDENTIFIER_SHARE * sum(counts.values())):
        return None
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    return Feature(name, ranked[:MAX_CATEGORIES])


def encoder(train: pd.DataFrame, label: str) -> Encoder:
    """Learn from the training split how to encode it.

    Raises:
        TrainError: No column is left to learn from, or the label cannot be learnt.
    """
    chosen = {name: feature(name, _counts(train[name])) for name in train.columns if name != label}
    if left_out := [name for name, each in chosen.items() if each is None]:
        _say(f"left out, as nearly every value is different: {', '.join(left_out)}")
    kept = [each for each in chosen.values() if each is not None]
    if not kept:
        raise TrainError("no column is left to learn from: each is the label, or different in every row")
    return Encoder(label, problem(train[label].tolist(), label), kept)


def _counts(values: pd.Series) -> dict[str, int] | None:
    from pandas.api.types import is_numeric_dtype  # noqa: PLC0415 - the rest is usable without pandas

    return None if is_numeric_dtype(values) else values.value_counts().to_dict()


# --- Model --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Model:
    """Trees and the encoder they were grown with."""

    booster: xgb.Booster
    encoder: Encoder

    @property
    def rounds(self) -> int:
        """Number of boosting rounds that were kept."""
        return int(self.booster.num_boosted_rounds())

    def score(self, rows: pd.DataFrame, metric: str) -> float:
        """Return a metric; rows of a class that was not learnt are mistakes by log loss, and have no AUC."""
        import xgboost as xgb  # noqa: PLC0415

        target = self.encoder.target(rows)
        counted = np.full(len(rows), True) if metric == "mlogloss" else ~np.isnan(target)
        scores = self.booster.predict(xgb.DMatrix(self.encoder.encode(rows[counted])))
        return SCORES[metric](target[counted], scores)


def fit(train: pd.DataFrame, known: Encoder, parameters: Mapping[str, str]) -> Model:
    """Grow ``num_round`` rounds of trees on every training row."""
    import xgboost as xgb  # noqa: PLC0415

    growing = dict(parameters)
    rounds = int(growing.pop("num_round"))
    machine = {"tree_method": "hist", "nthread": len(os.sched_getaffinity(0))}
    booster = xgb.train(
        {**growing, **machine, **known.problem.parameters},
        xgb.DMatrix(known.encode(train), label=known.target(train)),
        num_boost_round=rounds,
    )
    return Model(booster, known)


# --- Champion -----------------------------------------------------------------------------------------------


def champion_model(archive: Path) -> Model:
    """Read the champion, with the champion's own encoder.

    Raises:
        ChampionError: The archive cannot be read.
    """
    import xgboost as xgb  # noqa: PLC0415

    try:
        with tarfile.open(archive) as members:
            known = Encoder.parse(member(members, FEATURES))
            booster = xgb.Booster()
            booster.load_model(bytearray(member(members, MODEL)))
    except (tarfile.TarError, OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise ChampionError(f"{type(error).__name__}: {error}".splitlines()[0]) from None
    return Model(booster, known)


def champion_score(champion: Model, validation: pd.DataFrame, metric: str) -> float:
    """Score the champion on the validation split.

    Raises:
        ChampionError: The data lack a column that it reads, or have it in another type.
    """
    try:
        score = champion.score(validation, metric)
    except KeyError as error:
        raise ChampionError(f"the data lack its column {error}") from None
    except (TypeError, ValueError) as error:
        raise ChampionError(f"{type(error).__name__}: {error}".splitlines()[0]) from None
    if not math.isfinite(score):
        raise ChampionError(f"its score is {score}")
    return score


def member(archive: tarfile.TarFile, name: str) -> bytes:
    """Return a regular file of an archive without unpacking it.

    Raises:
        ChampionError: There is no such file, or it is too large.
    """
    for each in archive:
        if each.name in (name, f"./{name}") and each.isreg() and each.size <= ARCHIVE_LIMIT:
            file = archive.extractfile(each)
            return file.read() if file else b""
    raise ChampionError(f"its archive has no {name}")


# --- The program --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """What SageMaker's environment and the hyperparameters say."""

    train: Path
    validation: Path
    champion: Path | None
    model: Path
    label: str
    parameters: dict[str, str]

    @classmethod
    def parse(cls, argv: Sequence[str], environment: Mapping[str, str]) -> Settings:
        """Read them; the command line wins over SM_HPS.

        Raises:
            TrainError: A channel or the label is missing, or a hyperparameter is unknown.
        """
        given = hyperparameters(argv, json.loads(environment.get("SM_HPS", "{}")))
        needed = ("SM_CHANNEL_TRAIN", "SM_CHANNEL_VALIDATION", "SM_MODEL_DIR")
        if (missing := [name for name in needed if name not in environment]) or "label" not in given:
            raise TrainError(
                f"nothing to train: {', '.join(missing) or 'the hyperparameter label'} is not given"
            )
        champion = environment.get("SM_CHANNEL_CHAMPION")
        return cls(
            train=Path(environment["SM_CHANNEL_TRAIN"]),
            validation=Path(environment["SM_CHANNEL_VALIDATION"]),
            champion=Path(champion) if champion else None,
            model=Path(environment["SM_MODEL_DIR"]),
            label=given.pop("label"),
            parameters={**DEFAULTS, **given},
        )


def hyperparameters(argv: Sequence[str], document: Mapping[str, Any]) -> dict[str, str]:
    """Return the hyperparameters by name; SageMaker's toolkit passes ``--name value`` for each.

    Raises:
        TrainError: One is not known, so that a slip of the pen does not train another model.
    """
    if len(argv) % 2 or not all(name.startswith("--") for name in argv[::2]):
        raise TrainError(f"cannot read the command line {' '.join(argv)!r}: expected --name value for each")
    pairs = zip(argv[::2], argv[1::2])  # noqa: B905 - Python 3.9 has no strict
    given = {**document, **{name[2:]: value for name, value in pairs}}
    given = {name: str(value) for name, value in given.items() if not name.startswith("sagemaker_")}
    if unknown := sorted(given.keys() - DEFAULTS.keys() - {"label"}):
        raise TrainError(f"unknown hyperparameter {unknown[0]!r}: known are label, {', '.join(DEFAULTS)}")
    for name in given.keys() - {"label"}:
        _check_number(name, given[name])
    return given


def _check_number(name: str, value: str) -> None:
    """Refuse what XGBoost would answer with a page of C++."""
    whole = name in COUNTS
    try:
        good = int(value) > 0 if whole else math.isfinite(float(value))
    except ValueError:
        good = False
    if not good:
        raise TrainError(
            f"hyperparameter {name} is {value!r}: expected a {'whole number above 0' if whole else 'number'}"
        )


def read(folder: Path, label: str) -> pd.DataFrame:
    """Read a channel's Parquet files, in the order of their names; rows without a label are left out.

    Raises:
        TrainError: There is no file, or no column of the label's name.
    """
    import pandas as pd  # noqa: PLC0415

    files = sorted(path for path in folder.rglob("*.parquet") if path.name[0] not in "._")
    if not files:
        raise TrainError(f"no Parquet file below {folder}: did Prepare write this split?")
    rows = pd.concat([pd.read_parquet(path) for path in files], ignore_index=True)
    if label not in rows.columns:
        raise TrainError(f"no column {label!r} in the data; it has: {', '.join(sorted(rows.columns))}")
    return rows.dropna(subset=[label]).reset_index(drop=True)


def main(argv: Sequence[str], environment: Mapping[str, str]) -> None:
    """Train and score; the one place that knows the order.

    Raises:
        TrainError: There is nothing to learn from these data.
    """
    settings = Settings.parse(argv, environment)
    train, validation = (read(folder, settings.label) for folder in (settings.train, settings.validation))
    _say(f"read {len(train):,} rows to train on and {len(validation):,} to validate")
    if len(train) < MIN_ROWS:
        raise TrainError(f"{len(train)} rows to train on: at least {MIN_ROWS} are needed; bring more")
    known = encoder(train, settings.label)
    model = fit(train, known, settings.parameters)
    _say(f"trained {known.problem.objective} on {len(known.features)} columns: {model.rounds} rounds")
    scores = Scores.of(model, validation, settings.champion)
    rows = {"train": len(train), "validation": len(validation)}
    save(settings.model, model, {**scores.to_json(), "rows": rows})
    _say(f"saved {MODEL}, {FEATURES} and {METRICS}")


@dataclass(frozen=True)
class Scores:
    """Both models' scores on the validation split, by one metric."""

    metric: str
    value: float
    champion: str
    """``none``; ``scored``; ``unusable``, these data it could not serve; or ``incomparable``."""
    champion_value: float | None = None
    champion_reason: str | None = None
    """Why there is a champion without a score."""

    @classmethod
    def of(cls, model: Model, validation: pd.DataFrame, champion: Path | None) -> Scores:
        """Score the model, and the champion when there is one.

        Raises:
            TrainError: The metric is not defined on this validation split.
        """
        alone = cls(model.encoder.problem.metric, _own_score(model, validation), "none")
        if champion is None:
            return alone
        try:
            scores = cls._compared(model, validation, champion_model(champion / "model.tar.gz"))
        except ChampionError as error:
            scores = replace(alone, champion="unusable", champion_reason=str(error))
        except IncomparableError as error:
            scores = replace(alone, champion="incomparable", champion_reason=str(error))
        _say(f"the champion is {scores.champion}: {scores.champion_reason or scores}")
        return scores

    @classmethod
    def _compared(cls, model: Model, validation: pd.DataFrame, champion: Model) -> Scores:
        metric = common_metric(model.encoder, champion.encoder)
        theirs = champion_score(champion, validation, metric)
        return cls(metric, model.score(validation, metric), "scored", theirs)

    def __str__(self) -> str:
        return f"{self.metric} {self.value:.4f} against its {self.champion_value:.4f}"

    def to_json(self) -> dict[str, Any]:
        """Return the fields of metrics.json."""
        return {**asdict(self), "greater_is_better": GREATER_IS_BETTER[self.metric]}


def _own_score(model: Model, validation: pd.DataFrame) -> float:
    metric = model.encoder.problem.metric
    value = model.score(validation, metric)
    if not math.isfinite(value):
        raise TrainError(f"{metric} is {value} on the {len(validation):,} rows to validate: one class only?")
    _say(f"scored: {metric} {value:.4f}")
    return value


def save(folder: Path, model: Model, scores: Mapping[str, Any]) -> None:
    """Write the model, its encoder and its metrics into a folder."""
    known = model.encoder
    metrics = {
        "objective": known.problem.objective,
        **scores,
        "features": [each.name for each in known.features],
        "rounds": model.rounds,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(model.booster.save_raw("ubj"))
    (folder / FEATURES).write_text(known.to_json(), encoding="utf-8")
    (folder / METRICS).write_text(json.dumps(metrics, indent=1), encoding="utf-8")


def _say(line: str) -> None:
    print(line, flush=True)


def _fail(line: str) -> None:
    """Leave the reason where SageMaker looks for it, when this is SageMaker, and end."""
    if FAILURE.parent.is_dir():
        FAILURE.write_text(line, encoding="utf-8")
    sys.exit(line)


if __name__ == "__main__":
    try:
        main(sys.argv[1:], os.environ)
    except TrainError as error:
        _fail(str(error))
