"""The decision: is the new model better than the champion by more than the margin?"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self, TypeVar

from .errors import InvalidModel, InvalidPayload

T = TypeVar("T")


class Champion(StrEnum):
    """What the training script could do with the champion."""

    NONE = "none"
    SCORED = "scored"
    UNUSABLE = "unusable"
    """The data lack a column that it reads, or its archive cannot be read: it could not serve them either."""
    INCOMPARABLE = "incomparable"
    """It learnt another label, or a number where now there are classes."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The training script's ``metrics.json``: both models' score on the same validation split."""

    metric: str
    value: float
    greater_is_better: bool
    champion: Champion
    champion_value: float | None
    champion_reason: str | None
    """Why the champion has no score."""

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read the file strictly.

        Raises:
            InvalidModel: It is not JSON, a field is missing or of another type, or a score is not finite.
        """
        try:
            document = json.loads(body)
            champion = Champion(document["champion"])
            return cls(
                metric=_typed(document["metric"], str),
                value=_score(document["value"]),
                greater_is_better=_typed(document["greater_is_better"], bool),
                champion=champion,
                champion_value=_score(document["champion_value"]) if champion is Champion.SCORED else None,
                champion_reason=document.get("champion_reason"),
            )
        except (KeyError, TypeError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise InvalidModel(f"metrics.json of the model cannot be read: {reason:.200}") from None


@dataclass(frozen=True, slots=True)
class Days:
    """ISO dates, which sort as text: the day a model was trained on, and the latest one of a champion.

    The latter is "" when there is no champion.
    """

    model: str
    champion: str

    @property
    def model_is_older(self) -> bool:
        """Whether the model saw older data than a champion did."""
        return self.model < self.champion


@dataclass(frozen=True, slots=True)
class Decision:
    """What the state machine goes on with."""

    better: bool
    metric: str
    value: float
    champion: Champion
    champion_value: float | None
    margin: float
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return the decision as the state's result."""
        return asdict(self)


def decide(metrics: Metrics, margin: float, days: Days, *, has_champion: bool) -> Decision:
    """Compare the new model with the champion.

    Args:
        metrics: Scores of both on the same validation split.
        margin: By how much the new model must be better, in the metric's unit; a tie is never better.
        days: The model's day, and the latest one of a champion as of now.
        has_champion: Whether the run set out with a champion.

    Returns:
        Better when there is no champion, when the new model beats it by more than the margin, or when the
        champion is unusable on data that were judged good. Not when it is incomparable: a person decides that
        something else is learnt from now on. Never when a champion is of a later day, whatever the scores: a
        backfill does not undo what came after.

    Raises:
        InvalidPayload: The margin is negative or not finite.
        InvalidModel: There is a champion, yet the training script was given none.
    """
    if not (math.isfinite(margin) and margin >= 0):
        raise InvalidPayload(f"the margin is {margin}: expected a number not below 0")
    better, reason = _compare(metrics, margin, has_champion)
    if days.model_is_older:
        better, reason = False, f"the champion is of a later day, {days.champion}; {reason}"
    return Decision(
        better, metrics.metric, metrics.value, metrics.champion, metrics.champion_value, margin, reason
    )


def _compare(metrics: Metrics, margin: float, has_champion: bool) -> tuple[bool, str]:
    if not has_champion:
        return True, "no champion yet"
    if metrics.champion is Champion.UNUSABLE:
        return True, f"not compared with the champion, which is of no use any more: {metrics.champion_reason}"
    if metrics.champion is Champion.INCOMPARABLE:
        return False, (
            f"it cannot be compared with the champion: {metrics.champion_reason}; to begin anew, "
            "reject that model in the registry"
        )
    if metrics.champion_value is None:
        raise InvalidModel(
            "metrics.json has no score of the champion: was its channel given to the training?"
        )
    gain = metrics.value - metrics.champion_value
    gain = gain if metrics.greater_is_better else -gain
    scores = f"{metrics.metric} {metrics.value:.6g} against the champion's {metrics.champion_value:.6g}"
    if gain > margin:
        return True, f"{scores}: better by {gain:.6g}"
    return False, f"{scores}: the gain is {gain:.6g}, more than {margin:g} is asked"


def _typed(value: object, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, found {value!r}")
    return value


def _score(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"a score is {value!r}")
    return float(value)
