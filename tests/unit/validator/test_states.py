from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from validator.cuts import Cut, Shard
from validator.profile import Column, Kind, Profile
from validator.states import State, States
from validator.store import Object

COLUMNS = [Column("n", Kind.INT)]
SHARD = Shard((Cut.whole(Object("data.csv", 8, last_modified="1")),))


@pytest.fixture
def states(tmp_path: Path) -> States:
    return States(str(tmp_path), COLUMNS)


@pytest.fixture
def state() -> State:
    profile = Profile(COLUMNS)
    profile.add(pa.record_batch([pa.array([1, 2, 2])], names=["n"]))
    return State(profile, 2, 8, ("data.csv",))


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

    @pytest.mark.parametrize("change", [{"begin": 1}, {"end": 7}, {"unterminated": []}])
    def test_where_rows_ended_is_covered_by_the_checksum(
        self, change: dict[str, object], states: States, state: State
    ) -> None:
        states.save(SHARD, state)
        path = Path(states.name(SHARD))
        head, _, profile = path.read_bytes().partition(b"\n")
        path.write_bytes(json.dumps({**json.loads(head), **change}).encode() + b"\n" + profile)
        assert states.take(SHARD) is None
