from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from validator.interruption import Interruption


@pytest.fixture(autouse=True)
def _restored_handlers() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_nobody_asked_to_end() -> None:
    assert Interruption().install().name == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_and_a_second_one_has_its_usual_effect(number: signal.Signals) -> None:
    interruption = Interruption().install()
    os.kill(os.getpid(), number)
    assert interruption.name == number.name
    assert signal.getsignal(number) == signal.SIG_DFL
