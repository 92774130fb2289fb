"""Things that are no readable file, outputs that cannot be written, files that change while they are read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.functional.bad_input.expected import EITHER, UNUSABLE, Accepted, Bounds, Flaw, Refused
from tests.functional.bad_input.inputs import Case, Run
from tests.functional.bad_input.samples import HEADER, RIGHT, file, folder_of, lines, text

_NOT_A_FILE: Final = Refused("pipe, socket or device|not a (regular )?file", codes=UNUSABLE)
WRITTEN: Final = ("statistics.pb", "anomalies.pb*", "verdict.json", "report.html", "schema.proposed.pbtxt")
"""Before the gate, the last of all."""
_AT_ONCE: Final = Bounds(cpu_seconds=3, peak_mb=200)


def _symlink_loop(folder: Path) -> Run:
    (folder / "data.csv").symlink_to("other.csv")
    (folder / "other.csv").symlink_to("data.csv")
    return Run(folder / "data.csv")


def _unreadable(folder: Path) -> Run:
    made = file(text)(folder)
    (folder / "data.csv").chmod(0)
    return made


def _fifo(folder: Path) -> Run:
    os.mkfifo(folder / "data.csv")
    return Run(folder / "data.csv")


def _fifo_in_folder(folder: Path) -> Run:
    made = folder_of(lambda: {"a.csv": text()})(folder)
    os.mkfifo(folder / "data" / "b.csv")
    return made


def _socket(folder: Path) -> Run:
    with socket.socket(socket.AF_UNIX) as bound:
        # A socket's name may be 107 bytes long: bound by a short one, from within the folder.
        here = os.open(folder, os.O_RDONLY)
        bound.bind(f"/proc/self/fd/{here}/data.csv")
        os.close(here)
    return Run(folder / "data.csv")


def _link_to(target: str) -> Callable[[Path], Run]:
    def make(folder: Path) -> Run:
        (folder / "data.csv").symlink_to(target)
        return Run(folder / "data.csv")

    return make


def _folder_loop(folder: Path) -> Run:
    made = folder_of(lambda: {"a.csv": text()})(folder)
    (folder / "data" / "loop").symlink_to("..")
    return made


def _link_to_file(folder: Path) -> Run:
    (folder / "real.csv").write_bytes(text())
    (folder / "data.csv").symlink_to("real.csv")
    return Run(folder / "data.csv")


def _absent(folder: Path) -> Run:
    return Run(folder / "data.csv")


def _empty_folder(folder: Path) -> Run:
    (folder / "data").mkdir()
    return Run(folder / "data")


def _into_file(folder: Path) -> Run:
    (folder / "results").write_bytes(b"mine")
    return Run(file(text)(folder).data, output=folder / "results")


def _below_file(folder: Path) -> Run:
    (folder / "results").write_bytes(b"mine")
    return Run(file(text)(folder).data, output=folder / "results" / "out")


def _into(output: str) -> Callable[[Path], Run]:
    return lambda folder: Run(file(text)(folder).data, output=output)


def _on_full_disk(folder: Path) -> Run:
    return Run(file(text)(folder).data, file_bytes=600)


def _gate_is_folder(folder: Path) -> Run:
    (folder / "results" / "gate.json").mkdir(parents=True)
    return Run(file(text)(folder).data, output=folder / "results")


# Files that change while they are read ----------------------------------------------------------------------

_ROWS_WHILE: Final = 1_500_000
_READ_BYTES: Final = 6 << 20
"""Read by the process since it opened the file: more than a look at its beginning."""


def _while_read(path: Path, act: Callable[[Path], None]) -> Callable[[int], bool]:
    """Returns the mischief of acting on a file as soon as a process has read some megabytes of it."""
    opened_at: list[int] = []

    def strike(pid: int) -> bool:
        try:
            is_open = any(link.readlink() == path for link in Path(f"/proc/{pid}/fd").iterdir())
            read = int(Path(f"/proc/{pid}/io").read_text().split()[1])
        except OSError:
            return False
        if not is_open:
            opened_at.clear()
            return False
        opened_at.append(read)
        if read - opened_at[0] < _READ_BYTES:
            return False
        act(path)
        return True

    return strike


def _changing(act: Callable[[Path], None]) -> Callable[[Path], Run]:
    def make(folder: Path) -> Run:
        path = folder / "data.csv"
        with path.open("wb") as out:
            out.write(HEADER + b"\n")
            chunk = b"\n".join([*lines(10_000), b""])
            for _ in range(_ROWS_WHILE // 10_000):
                out.write(chunk)
        return Run(path, mischief=_while_read(path, act))

    return make


def _truncate(path: Path) -> None:
    os.truncate(path, 1_000_000)


def _replace(path: Path) -> None:
    other = path.with_name(".other")
    other.write_bytes(text())
    other.replace(path)


def _append(path: Path) -> None:
    with path.open("ab") as out:
        out.write(b"\n".join([*lines(), b""]))


def _delete(path: Path) -> None:
    path.unlink()


_CHANGED: Final = Refused("changed|replaced|truncated|shorter", codes=(65,))

CASES: Final = (
    Case(
        "symlink-loop",
        "file",
        _symlink_loop,
        (Refused("symbolic links", codes=UNUSABLE),),
        "symlink loop",
        _AT_ONCE,
    ),
    Case(
        "unreadable",
        "file",
        _unreadable,
        (Refused("permission denied", codes=UNUSABLE),),
        "unreadable",
        _AT_ONCE,
    ),
    Case("fifo", "file", _fifo, (_NOT_A_FILE,), "fifo", _AT_ONCE),
    Case(
        "fifo-in-a-folder",
        "folder",
        _fifo_in_folder,
        (Refused(_NOT_A_FILE.why, "b.csv", UNUSABLE, ("data",)),),
    ),
    Case("socket", "file", _socket, (_NOT_A_FILE,), "", _AT_ONCE),
    Case("device-zero", "file", _link_to("/dev/zero"), (_NOT_A_FILE,), "", _AT_ONCE),
    Case(
        "file-that-fails-to-read",
        "file",
        _link_to("/proc/self/mem"),
        (Refused("input/output error|empty", codes=EITHER),),
        "",
        _AT_ONCE,
    ),
    Case(
        "broken-link", "file", _link_to("nowhere"), (Refused("no such file", codes=UNUSABLE),), "", _AT_ONCE
    ),
    Case("link-to-a-file", "file", _link_to_file, (RIGHT,)),
    Case("absent", "file", _absent, (Refused("no such file", codes=UNUSABLE),), "", _AT_ONCE),
    Case(
        "folder-that-holds-itself",
        "folder",
        _folder_loop,
        (Refused("is a folder|link", "loop", UNUSABLE, ("data",)),),
    ),
    Case(
        "empty-folder",
        "folder",
        _empty_folder,
        (Accepted(0, flaws=(Flaw("NO_DATA"),), verdict="fail"),),
    ),
    Case(
        "output-is-a-file",
        "output",
        _into_file,
        (Refused("it is a file, not a folder", codes=UNUSABLE, names=("results",), leaves_error=False),),
    ),
    Case(
        "output-below-a-file",
        "output",
        _below_file,
        (
            Refused(
                "not a directory|not a folder", codes=UNUSABLE, names=("results/out",), leaves_error=False
            ),
        ),
    ),
    Case(
        "output-is-a-full-device",
        "output",
        _into("/dev/full"),
        (Refused("not a folder", codes=UNUSABLE, names=("/dev/full",), leaves_error=False),),
    ),
    Case(
        "output-cannot-be-made",
        "output",
        _into("/proc/self/results"),
        (
            Refused(
                "no such file|permitted|denied",
                codes=UNUSABLE,
                names=("/proc/self/results",),
                leaves_error=False,
            ),
        ),
    ),
    Case(
        "output-on-a-full-disk",
        "output",
        _on_full_disk,
        (Refused("file too large|no space", codes=(64, 69), names=("out",)),),
    ),
    Case(
        "a-folder-named-gate-json",
        "output",
        _gate_is_folder,
        (Refused("is a directory|is a folder", codes=UNUSABLE, names=("gate.json",), may_leave=WRITTEN),),
    ),
    Case("truncated-while-read", "file", _changing(_truncate), (_CHANGED,)),
    Case("replaced-while-read", "file", _changing(_replace), (_CHANGED,)),
    Case("appended-to-while-read", "file", _changing(_append), (_CHANGED,)),
    Case(
        "deleted-while-read",
        "file",
        _changing(_delete),
        (Refused("changed|no such file|gone", codes=EITHER),),
    ),
)
