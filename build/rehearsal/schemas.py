"""Reviewed schemas, read by the validator itself before anything is started: a mistake costs a second."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from build import shell
from build.errors import PlatformError, UserError


def demand_readable(schemas: Iterable[Path], validator: Path) -> None:
    """Make sure that the validator can judge by each of these schemas.

    Args:
        schemas: Files.
        validator: The interpreter it runs in.

    Raises:
        UserError: One is missing, or is none; the message is the validator's own.
    """
    with TemporaryDirectory() as folder:
        log = Path(folder) / "schema.log"
        for schema in schemas:
            try:
                shell.run([str(validator), "-m", "validator", "show", str(schema)], log=log)
            except PlatformError as error:
                said = shell.last_line(log.read_text(encoding="utf-8", errors="replace"))
                hint = "mend the file, or bring it back with git checkout"
                raise UserError(f"cannot rehearse by the schema {schema}: {said}; {hint}") from error
