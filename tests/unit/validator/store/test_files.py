from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from validator import store
from validator.errors import DataError, StorageError, UsageError
from validator.store.files import Files

Change = Callable[[Path], object]


def test_what_is_written_is_read_and_nothing_else_is_left(tmp_path: Path) -> None:
    uri = str(tmp_path / "runs" / "gate.json")
    store.write(uri, b"one")
    store.write(uri, b"two")
    assert store.at(uri).read(uri) == b"two"
    assert [p.name for p in (tmp_path / "runs").iterdir()] == ["gate.json"]


def test_a_folder_that_cannot_be_written_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot write"):
        store.write(str(tmp_path / "file" / "below"), b"")
    with pytest.raises(UsageError, match="file: it is a file, not a folder; name a folder"):
        store.prepare(str(tmp_path / "file"))


def test_a_full_disk_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tempfile.mkstemp", full)
    with pytest.raises(StorageError, match="no space left on device; make room"):
        store.write(str(tmp_path / "file"), b"")


def test_a_prepared_folder_is_there_and_empty(tmp_path: Path) -> None:
    store.prepare(str(tmp_path / "runs" / "today"))
    assert [*tmp_path.rglob("*")] == [tmp_path / "runs", tmp_path / "runs" / "today"]


def test_a_folder_is_listed_deep_sorted_and_without_marks(tmp_path: Path) -> None:
    for name in ("b.csv", "a/c.csv", "_SUCCESS", ".hidden.csv", "_temporary/d.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    listed = store.at(str(tmp_path)).list(str(tmp_path))
    assert [Path(o.uri).relative_to(tmp_path).as_posix() for o in listed] == ["a/c.csv", "b.csv"]


def test_a_glob_and_a_name_with_glob_signs_are_told_apart(tmp_path: Path) -> None:
    for name in ("part[1].csv", "part1.csv", "other.txt"):
        (tmp_path / name).write_bytes(b"x")
    exact = store.at("").list(f"{tmp_path}/part[1].csv")
    globbed = store.at("").list(f"{tmp_path}/*.csv")
    assert [Path(o.uri).name for o in exact] == ["part[1].csv"]
    assert [Path(o.uri).name for o in globbed] == ["part1.csv", "part[1].csv"]


def test_a_file_url_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "a b.csv").write_bytes(b"x")
    uri = f"file://{tmp_path}/a%20b.csv"
    assert store.at(uri).read(uri) == b"x"


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(UsageError, match="a pipe, socket or device"):
        store.at("").list(str(tmp_path))


def test_a_socket_and_a_device_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.csv")
        for name in ("s.csv", "/dev/zero"):
            with pytest.raises(UsageError, match="a pipe, socket or device"):
                store.at(name).list(name)


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    with pytest.raises(UsageError, match="too many levels of symbolic links"):
        store.at("").list(str(tmp_path))


def test_a_link_to_a_folder_is_named_not_followed(tmp_path: Path) -> None:
    (tmp_path / "again").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="again: it is a folder"):
        store.at("").list(str(tmp_path))


@pytest.mark.parametrize("uri", ["missing.csv", "missing/*.csv", "a\0b", ""])
def test_what_is_not_there_is_refused(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        store.at(uri).read(uri)
    if uri:
        with pytest.raises(UsageError):
            store.at(uri).list(uri)


def test_a_file_that_changed_since_it_was_listed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"one")
    (listed,) = store.at("").list(str(file))
    store.at("").open(listed).close()
    file.write_bytes(b"three")
    with pytest.raises(DataError, match="changed since"):
        store.at("").open(listed)


def listed(tmp_path: Path, pattern: str) -> list[str]:
    found = store.at("").list(f"{tmp_path}/{pattern}")
    return [Path(each.uri).relative_to(tmp_path).as_posix() for each in found]


def test_a_pattern_stands_for_files_and_for_all_below_a_folder(tmp_path: Path) -> None:
    for name in ("day=1/a.csv", "day=2/b/c.csv", "day=2/_tmp/d.csv", "other/e.csv", "_day=3/f.csv", "_g.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"x")
    assert listed(tmp_path, "day=*") == ["day=1/a.csv", "day=2/b/c.csv"]
    assert listed(tmp_path, "day=*/*.csv") == ["day=1/a.csv"]
    assert listed(tmp_path, "**/*.csv") == ["_day=3/f.csv", "day=1/a.csv", "day=2/b/c.csv", "other/e.csv"]
    assert listed(tmp_path, "_*.csv") == ["_g.csv"]
    assert listed(tmp_path, "day=[13]/?.csv") == ["day=1/a.csv"]
    with pytest.raises(UsageError, match="no such file or folder"):
        listed(tmp_path, "{day=1,day=2}/*.csv")


def test_names_below_the_present_folder_are_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_bytes(b"x")
    for pattern in ("*.csv", "./*.csv", "**/*.csv"):
        assert [each.uri for each in store.at("").list(pattern)] == ["a.csv"]


def test_folders_that_link_to_each_other_are_not_walked_in_circles(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.csv").write_bytes(b"x")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert listed(tmp_path, "**/*.csv") == ["a/x.csv"]


@pytest.fixture
def deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file below more folders than Python has calls; pytest could not take them away."""
    monkeypatch.chdir(tmp_path)
    folders = [Path(*"d" * depth) for depth in range(1, 1201)]
    for folder in folders:
        folder.mkdir()
    file = folders[-1] / "x.csv"
    file.write_bytes(b"x")
    yield file
    file.unlink()
    for folder in reversed(folders):
        folder.rmdir()


def test_folders_nested_deeper_than_calls_can_be(deep: Path) -> None:
    for uri in ("d", "**/x.csv", "**/**/**/x.csv"):
        assert [each.uri for each in store.at("").list(uri)] == [str(deep)]


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    assert store.at("").list(str(tmp_path)) == []


def test_a_listing_has_an_end(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / str(number)).write_bytes(b"")
    assert len(Files(most=4).list(str(tmp_path))) == 4
    for uri in (str(tmp_path), f"{tmp_path}/*"):
        with pytest.raises(UsageError, match="more than 3 names; name a narrower folder"):
            Files(most=3).list(uri)


def test_many_small_files_are_listed_fast(tmp_path: Path) -> None:
    for number in range(10_000):
        os.close(os.open(tmp_path / f"{number}.csv", os.O_CREAT))
    begun = time.process_time()
    assert len(store.at("").list(str(tmp_path))) == 10_000
    assert time.process_time() - begun < 1


def cut_off(path: Path) -> None:
    os.truncate(path, 1 << 20)


def written_to(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"y")
    os.utime(path, ns=(1, next(TIMES)))


def replaced(path: Path) -> None:
    store.write(str(path), bytes(1 << 20))


TIMES = count(1)


@pytest.mark.parametrize("change", [cut_off, written_to, replaced, Path.unlink])
def test_a_file_that_changes_while_it_is_read_says_so(change: Change, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(2 << 20))
    (found,) = store.at("").list(str(path))
    with store.at("").open(found) as file:
        assert len(file.read(1 << 20)) == 1 << 20
        change(path)
        with pytest.raises(DataError, match=r"a\.csv: the object changed since"):
            file.read()


def test_a_file_is_sought_in_and_read_in_all_ways(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(range(256)) * 1000)
    (found,) = store.at("").list(str(path))
    with store.at("").open(found) as file:
        assert file.seek(-256, os.SEEK_END) == 255_744
        assert file.read() == bytes(range(256))
        assert file.seek(10) == 10
        assert (file.read(2), file.tell(), file.readline()[:2]) == (b"\x0a\x0b", 12, b"\x0c\x0d")


def test_a_pipe_in_the_place_of_a_file_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"")
    (found,) = store.at("").list(str(path))
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UsageError, match="a pipe, socket or device"):
        store.at("").open(found)


def test_partitions_lie_below_the_folder_of_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "part[1]").mkdir()
    files = store.at("")
    assert files.root(f"{tmp_path}/a/b=*/*.csv") == f"{tmp_path}/a"
    assert files.root(f"{tmp_path}/a/") == f"{tmp_path}/a"
    assert files.root(f"{tmp_path}/part[1]") == f"{tmp_path}/part[1]"
    assert (files.root("*.csv"), files.root("/*.csv")) == ("", "/")
