"""What can be wrong with a trigger; Step Functions matches the class names, people read the lines."""

from __future__ import annotations


class InitError(Exception):
    """Base of the errors Init ends with: one line, what happened, why and what to do."""


class InvalidEvent(InitError):  # noqa: N818 - the state machine knows this name
    """The execution's input is neither the by-hand form nor an event Init knows."""


class UnknownDataset(InitError):  # noqa: N818
    """The event names a dataset the deployed configuration does not have."""


class TooManyObjects(InitError):  # noqa: N818
    """The day's folder holds more objects than one run may name."""


class InvalidRecord(InitError):  # noqa: N818
    """The manifest that an earlier attempt has written cannot be read."""


class TooManyModels(InitError):  # noqa: N818
    """The dataset has more approved models than are looked through for its champion."""


class Busy(InitError):  # noqa: N818
    """Another execution runs the day: the state machine asks again until it has ended, for some hours."""
