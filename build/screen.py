"""A deployment on the terminal: its plans, uploads and events as they come."""

from __future__ import annotations

from dataclasses import dataclass

import click
from rich.console import Console
from rich.text import Text

from build import plan
from build.aws.cloudformation import StackEvent
from build.plan import Plan


@dataclass(frozen=True, slots=True)
class Screen:
    """Shows what happens, and asks."""

    console: Console

    def planned(self, made: Plan) -> None:
        """Show a plan."""
        self.console.print(plan.show(made))

    def uploaded(self, key: str, size: int) -> None:
        """Show an upload."""
        self._line(Text(f"uploaded {key} ({size:,} bytes)"))

    def happened(self, event: StackEvent) -> None:
        """Show a stack event."""
        style = "red" if "FAILED" in event.status or "ROLLBACK" in event.status else ""
        moment = event.at.astimezone().strftime("%H:%M:%S")
        said = f"  {' '.join(event.reason.split())}" if event.reason else ""
        line = Text.assemble(
            (moment, "dim"), "  ", (event.status, style), f"  {event.logical_id}  {event.type}"
        )
        self._line(line.append(said, style))

    def approve(self, made: Plan) -> bool:
        """Ask the person; no is the default."""
        return click.confirm(f"Deploy this to {made.stack}?", default=False, err=True)

    def _line(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True)
