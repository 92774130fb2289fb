"""`python -m templates`: Ctrl-C is answered before anything slow is imported."""

from __future__ import annotations

import sys
from typing import Final

INTERRUPTED: Final = 130
"""What shells make of a program that SIGINT ended."""


def run(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0, 64, 74 or 130, but for 0 with one line on stderr."""
    try:
        from templates import command  # noqa: PLC0415 - most of the time goes here

        return command.run(arguments)
    except KeyboardInterrupt:
        print("error: stopped; the template is not complete", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(run())
