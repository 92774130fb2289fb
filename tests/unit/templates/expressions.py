"""JSONata: every expression read by the emulator's parser, a port of the reference implementation.

As a script, run by the emulator's Python: one expression a line in, as a JSON string; what is wrong with it
out, "" for nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from subprocess import PIPE
from typing import Any

PYTHON = Path(__file__).parents[3] / ".venv-emulator/bin/python"


def mistakes(machine: Mapping[str, Any]) -> Iterator[str]:
    """Yield the expressions of a definition that are no JSONata, one line each."""
    for name, state in machine["States"].items():
        for place, text in strings(state):
            if text.startswith("{%") and text.endswith("%}") and (why := wrong(text[2:-2].strip())):
                yield f"{name}{place}: {why}"


def strings(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string below a value, with where it stands."""
    match value:
        case str():
            yield place, value
        case dict():
            for key, item in value.items():
                yield from strings(item, f"{place}.{key}")
        case list():
            for index, item in enumerate(value):
                yield from strings(item, f"{place}[{index}]")


@cache
def wrong(expression: str) -> str:
    """Return what the parser says against an expression, "" for nothing."""
    parser = _parser()
    assert parser.stdin
    assert parser.stdout
    parser.stdin.write(json.dumps(expression) + "\n")
    parser.stdin.flush()
    return str(json.loads(parser.stdout.readline()))


@cache
def _parser() -> subprocess.Popen[str]:
    """Start the parser; it ends with this process, whose end closes its input."""
    assert PYTHON.exists(), "no .venv-emulator: run `make setup`"
    return subprocess.Popen([str(PYTHON), __file__], stdin=PIPE, stdout=PIPE, text=True)


def _serve() -> None:
    from jsonata import Jsonata  # type: ignore[import-not-found]

    for line in sys.stdin:
        try:
            Jsonata.jsonata(json.loads(line))
            why = ""
        except Exception as error:
            why = str(error) or type(error).__name__
        print(json.dumps(why), flush=True)


if __name__ == "__main__":
    _serve()
