from __future__ import annotations

from pathlib import Path

import pytest

from validator import machine


def groups(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    return folder


def test_without_limits_it_is_the_machine(tmp_path: Path) -> None:
    assert machine.cpus(tmp_path) >= 1
    assert machine.memory(tmp_path) > 1 << 28


@pytest.mark.parametrize(("quota", "cpus"), [("50000 100000", 1), ("100000 100000", 1), ("150000 100000", 2)])
def test_a_part_of_a_processor_counts_whole(
    tmp_path: Path, quota: str, cpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    assert machine.cpus(groups(tmp_path, cpu_DOT_max=quota)) == cpus


def test_without_a_quota_it_is_what_the_scheduler_grants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(3)))
    assert machine.cpus(groups(tmp_path, cpu_DOT_max="max 100000")) == 3


def test_control_groups_of_version_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    found = groups(
        tmp_path,
        cpu__cpu_DOT_cfs_quota_us="200000",
        cpu__cpu_DOT_cfs_period_us="100000",
        memory__memory_DOT_limit_in_bytes="536870912",
    )
    assert (machine.cpus(found), machine.memory(found)) == (2, 512 << 20)


@pytest.mark.parametrize("content", ["", "max", "-1 100000", "x y", "1 0"])
def test_what_is_no_quota_is_none(tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    assert machine.cpus(groups(tmp_path, cpu_DOT_max=content)) == 2


def test_the_budget_is_a_share_and_has_a_limit(tmp_path: Path) -> None:
    assert machine.memory_budget(groups(tmp_path, memory_DOT_max=str(512 << 20))) == int((512 << 20) * 0.6)
    assert machine.memory_budget(groups(tmp_path, memory_DOT_max=str(1 << 33))) == 512 << 20


def test_this_process_holds_some_memory() -> None:
    assert 1 << 20 < machine.resident() < 1 << 34
