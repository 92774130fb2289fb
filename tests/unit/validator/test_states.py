from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from validator import partitions
from validator.cuts import Cut, Shard
from validator.dataset import Dataset
from validator.errors import UsageError
from validator.profile import Column, Kind, Profile
from validator.states import State, States
from validator.store import Object

COLUMNS = (Column("n", Kind.INT),)
DATASET = Dataset((), COLUMNS)
SHARD = Shard((Cut.whole(Object("data.csv", 8, last_modified="1")),))


@pytest.fixture
def states(tmp_path: Path) -> States:
    return States(str(tmp_path), DATASET)


@pytest.fixture
def state() -> State:
    profile = Profile(COLUMNS)
    profile.add(pa.record_batch([pa.array([1, 2, 2])], names=["n"]))
    return State(profile, 2, 8, ("data.csv",))


class TestNames:
    def test_folders_that_say_other_of_a_shard_have_other_names(self) -> None:
        target = Object("d/x=1/y=2/data.csv", 8, last_modified="1")
        shard = Shard((Cut.whole(target),))
        folders = [partitions.of([target], root) for root in ("d", "d/x=1", "d/x=1/y=2")]
        said = [*folders, folders[0].met("x"), folders[0].met("y"), folders[0].met("xy")]
        assert len({States("s", replace(DATASET, partitions=each)).name(shard) for each in said}) == 6

    def test_folders_of_other_objects_are_no_matter(self) -> None:
        targets = [Object(f"d/x={x}/data.csv", 8, last_modified="1") for x in "12"]
        names = [
            States("s", replace(DATASET, partitions=said)).name(Shard((Cut.whole(targets[0]),)))
            for said in (partitions.of(objects, "d") for objects in (targets, targets[:1]))
        ]
        assert names[0] == names[1]


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1/x", "s3://", "file://x", "data.csv", "data.csv/below"])
def test_where_nothing_can_ever_lie_nothing_is_absent(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").touch()
    with pytest.raises(UsageError, match=r"^cannot (use|read) "):
        States(uri, DATASET).take(SHARD)
    assert States("none/below", DATASET).take(SHARD) is None


def test_whether_a_value_has_shown_the_kind_makes_no_other_state() -> None:
    shown, guessed = Column("n", Kind.INT), Column("n", Kind.INT, is_guessed=True)
    others = [Column("n", Kind.FLOAT), Column("n", Kind.INT, 1), Column("m", Kind.INT)]
    nested = [Column("n", Kind.STRUCT, fields=(each,)) for each in (shown, guessed, *others)]
    names = [States("s", Dataset((), (each,))).name(SHARD) for each in (shown, guessed, *others, *nested)]
    assert len(set(names)) == 8
    assert names[0] == names[1]
    assert names[5] == names[6]


@pytest.mark.parametrize("unpinned", [Object("data.csv", 8), Object("s3://b/data.csv", 8)])
def test_objects_that_nobody_could_tell_apart_have_no_state(
    unpinned: Object, states: States, state: State
) -> None:
    shard = Shard((*SHARD.cuts, Cut.whole(unpinned)))
    states.save(shard, state)
    assert not Path(states.name(shard)).exists()
    states.save(SHARD, state)
    Path(states.name(SHARD)).rename(states.name(shard))
    assert states.take(shard) is None


class TestDamage:
    def test_what_was_saved_is_taken(self, states: States, state: State) -> None:
        states.save(SHARD, state)
        taken = states.take(SHARD)
        assert taken
        assert (taken.begin, taken.end, taken.unterminated) == (2, 8, ("data.csv",))
        assert taken.profile.to_bytes() == state.profile.to_bytes()

    @pytest.mark.parametrize("flip", [0x01, 0x20, 0xFF])
    def test_a_flipped_byte_makes_it_none_wherever_it_is(
        self, flip: int, states: States, state: State
    ) -> None:
        states.save(SHARD, state)
        path = Path(states.name(SHARD))
        content = path.read_bytes()
        for place, byte in enumerate(content):
            path.write_bytes(content[:place] + bytes([byte ^ flip]) + content[place + 1 :])
            assert states.take(SHARD) is None
        path.write_bytes(content)
        assert states.take(SHARD)

    @pytest.mark.parametrize(
        "other",
        [Object("other.csv", 8, last_modified="1"), Object("data.csv", 8, last_modified="2")],
        ids=["another object", "the same before it changed"],
    )
    def test_a_copy_of_another_shards_state_is_none(
        self, other: Object, states: States, state: State
    ) -> None:
        of_other = Shard((Cut.whole(other),))
        states.save(of_other, state)
        Path(states.name(of_other)).rename(states.name(SHARD))
        assert states.take(SHARD) is None

    @pytest.mark.parametrize("change", [{"begin": 1}, {"end": 7}, {"unterminated": []}])
    def test_where_rows_ended_is_covered_by_the_checksum(
        self, change: dict[str, object], states: States, state: State
    ) -> None:
        states.save(SHARD, state)
        path = Path(states.name(SHARD))
        head, _, profile = path.read_bytes().partition(b"\n")
        path.write_bytes(json.dumps({**json.loads(head), **change}).encode() + b"\n" + profile)
        assert states.take(SHARD) is None
