from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from validator import dataset, profiling, store
from validator.crew import Crew
from validator.cuts import Weight
from validator.dataset import Dataset
from validator.errors import DataError, Interrupted
from validator.formats import Misfit, Reading
from validator.formats.delimited.reader import Delimited
from validator.interruption import Interruption
from validator.profile import Kind, NumericSummary, Profile, Summary, TextSummary
from validator.states import States


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / f"{number}.csv").write_text("n,t\n" + f"{number},x\n" * 10)
    return tmp_path


def described(folder: Path) -> Dataset:
    return dataset.describe(store.at("").list(str(folder / "data")))


def profile(folder: Path, interruption: Interruption | None = None) -> tuple[Profile, list[str]]:
    log: list[str] = []
    crew = Crew(interruption or Interruption())
    made = profiling.profile(described(folder), str(folder / "states"), crew, log.append)
    return made.profile, [line.split(":")[0] for line in log]


class After(Interruption):
    """Is asked to end at the n-th look."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._looks = looks

    @property
    def name(self) -> str:
        self._looks -= 1
        return "SIGTERM" if self._looks < 0 else ""


def test_each_shard_is_one_line_of_log(folder: Path) -> None:
    made, log = profile(folder)
    assert made.rows == 30
    assert log == [f"shard {n} of 3 done" for n in (1, 2, 3)]


def test_a_second_start_takes_saved_states_and_ends_alike(folder: Path) -> None:
    first, _ = profile(folder)
    second, log = profile(folder)
    assert log == [f"shard {n} of 3 taken from saved state" for n in (1, 2, 3)]
    assert second.to_bytes() == first.to_bytes()


def test_an_interruption_saves_finished_shards_and_says_how_to_go_on(folder: Path) -> None:
    with pytest.raises(Interrupted) as caught:
        profile(folder, After(3))
    assert str(caught.value) == (
        f"interrupted: SIGTERM after shard 1 of 3; finished shards are saved below {folder / 'states'}; "
        "start again with the same output to go on"
    )
    _, log = profile(folder)
    assert log == ["shard 1 of 3 taken from saved state", "shard 2 of 3 done", "shard 3 of 3 done"]


def test_an_interruption_before_the_first_shard_reads_nothing(folder: Path) -> None:
    with pytest.raises(Interrupted, match="after shard 0 of 3"):
        profile(folder, After(0))
    assert not (folder / "states").exists()


def test_a_changed_shard_is_read_again(folder: Path) -> None:
    profile(folder)
    (folder / "data" / "1.csv").write_text("n,t\n7,y\n")
    made, log = profile(folder)
    assert (made.rows, log[1]) == (21, "shard 2 of 3 done")


def test_a_damaged_state_is_read_again(folder: Path) -> None:
    profile(folder)
    for state in (folder / "states").iterdir():
        state.write_bytes(state.read_bytes()[:100])
    made, log = profile(folder)
    assert (made.rows, log) == (30, [f"shard {n} of 3 done" for n in (1, 2, 3)])


def test_a_misfit_starts_anew_with_wider_columns(folder: Path) -> None:
    wide = "1,x\n" * 400_000 + "one,x\n"
    (folder / "data" / "2.csv").write_text("n,t\n" + wide)
    made, log = profile(folder)
    assert made.rows == 400_021
    assert log[2].startswith("profiling anew")
    assert log[3:] == [f"shard {n} of 3 done" for n in (1, 2, 3)]
    assert made.finish().columns[0].column.kind is Kind.BYTES


def test_a_survey_can_be_interrupted_between_its_batches(folder: Path) -> None:
    (folder / "data" / "2.csv").write_text("n,t\n" + "1,x\n" * 400_000 + "one,x\n")
    profile(folder)
    # Of each shard one look and those before and after each batch, nine at least.
    for looks in range(9):
        for saved in (folder / "states").glob("*.survey"):
            saved.unlink()
        with pytest.raises(Interrupted, match="SIGTERM while looking for types that fit; finished shards"):
            profile(folder, After(looks))


def test_a_survey_is_made_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "data" / "2.csv").write_text("n,t\n" + "1,x\n" * 400_000 + "one,x\n")
    first, _ = profile(folder)
    monkeypatch.setattr(Delimited, "survey", lambda *_: pytest.fail("it is made again"))
    second, log = profile(folder)
    assert log == [f"shard {n} of 3 taken from saved state" for n in (1, 2, 3)]
    assert second.to_bytes() == first.to_bytes()


def test_states_of_other_columns_have_other_names(folder: Path) -> None:
    narrow = described(folder)
    (folder / "data" / "3.csv").write_text("n,t\nx,x\n")
    wide = described(folder)
    names = {States("s", d).name(narrow.shards[0]) for d in (narrow, wide)}
    assert len(names) == 2


def test_a_survey_that_does_not_help_ends(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def misfit(*_: Any) -> Reading:
        raise Misfit("cannot read x")

    monkeypatch.setattr(Delimited, "read", misfit)
    with pytest.raises(DataError, match="cannot read x"):
        profile(folder)


def test_no_shard_is_no_row(tmp_path: Path) -> None:
    made = profiling.profile(dataset.describe([]), str(tmp_path), Crew(Interruption()), print).profile
    assert (made.rows, made.finish().columns) == (0, ())


ROWS = 30_000


@pytest.fixture(scope="module")
def text() -> str:
    """Rows with quoted commas, quotation marks and line ends, longer than what is guessed at a border."""
    chance = np.random.default_rng(5)
    rows = zip(
        chance.normal(41.88, 0.05, ROWS),
        chance.integers(-(2**60), 2**60, ROWS),
        chance.choice(['"a\nb,c"', '"say ""hi"""', "plain", "", '"\n\n1,2,3\n"'], ROWS),
        strict=True,
    )
    return "x,n,t\n" + "".join(f"{x:.9f},{n},{t}\n" for x, n, t in rows)


class TestCuts:
    """However a file is cut, its exact figures are the same to the last bit."""

    def statistics(self, folder: Path, shards: int, workers: int, patch: pytest.MonkeyPatch) -> list[Any]:
        size = (folder / "a.csv").stat().st_size
        patch.setattr(Delimited, "weight", Weight(size // shards))
        found = dataset.describe(store.at("").list(str(folder / "a.csv")))
        assert len(found.shards) == shards
        crew = Crew(Interruption(), workers)
        made = profiling.profile(found, str(folder / f"states-{shards}-{workers}"), crew, lambda _: None)
        return exact(made.profile.finish())

    def test_exact_figures_do_not_depend_on_shards_and_workers(
        self, tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.csv").write_text(text)
        pairs = [(1, 1), (2, 1), (2, 2), (64, 2)]
        whole, *others = [self.statistics(tmp_path, *pair, monkeypatch) for pair in pairs]
        assert whole[0] == ROWS
        assert others == [whole] * 3


def exact(summary: Summary) -> list[Any]:
    numbers = [
        (c.presence, c.finite, c.zeros, c.minimum, c.maximum, c.mean, c.deviation)
        for c in summary.columns
        if isinstance(c, NumericSummary)
    ]
    return [summary.rows, numbers, [c for c in summary.columns if isinstance(c, TextSummary)]]
