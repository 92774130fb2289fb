"""A rehearsal's folder is its own, and `latest` always points to a whole one."""

from __future__ import annotations

from pathlib import Path

from build.rehearsal import folder


def test_two_rehearsals_never_share_a_folder(tmp_path: Path) -> None:
    first, second = folder.create(tmp_path, "happy"), folder.create(tmp_path, "happy")
    assert first.path != second.path
    assert all(part.is_dir() for part in (first.logs, first.temporary, first.data, first.output))


def test_latest_is_swapped_and_leaves_nothing_else(tmp_path: Path) -> None:
    first, second = folder.create(tmp_path, "happy"), folder.create(tmp_path, "drift")
    folder.point_latest(first)
    folder.point_latest(second)
    assert (tmp_path / "latest").resolve() == second.path
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["latest", first.path.name, second.path.name]
    )
    assert not (second.path / "latest").is_symlink()
