"""What can stop an evaluation; Step Functions matches the class names, people read the lines."""

from __future__ import annotations


class EvaluateError(Exception):
    """Base of the errors Evaluate ends with: one line, what happened, why and what to do."""


class DataChanged(EvaluateError):  # noqa: N818 - the state machine knows this name
    """An object of the manifest is no longer the one that was judged."""


class InvalidModel(EvaluateError):  # noqa: N818
    """The model's archive holds no readable metrics."""


class TooManyModels(EvaluateError):  # noqa: N818
    """The dataset has more approved models than are looked through for the latest day."""


class InvalidPayload(EvaluateError):  # noqa: N818
    """The state machine asked for something Evaluate cannot do."""
