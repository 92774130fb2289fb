"""Saved surveys: what is taken is what was saved; damaged and hostile ones are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import google_crc32c
import pytest

from validator import dataset, store, survey
from validator.crew import Halt
from validator.dataset import Dataset
from validator.interruption import Interruption
from validator.store import Object
from validator.survey import Survey
from validator.surveys import Surveys

Change = Callable[[dict[str, Any]], object]


def described(folder: Path, name: str, content: str) -> Dataset:
    (folder / name).write_text(content)
    return dataset.describe(store.at("").list(str(folder / name)))


def surveyed(of: Dataset) -> Survey:
    return survey.of(of, of.shards[0], Halt(Interruption()))


@pytest.fixture
def texts(tmp_path: Path) -> Dataset:
    return described(tmp_path, "d.csv", "n,t\n1,x\ntwo,y\n,\n")


@pytest.fixture
def objects(tmp_path: Path) -> Dataset:
    return described(tmp_path, "d.jsonl", '{"s": {"n": 1, "l": [[2]]}}\n{"s": {}, "é": "x"}\n')


def rewritten(path: Path, change: Change) -> None:
    """Changes a survey, its checksum too: whoever does so means it."""
    document = json.loads(path.read_bytes().partition(b"\n")[2])
    changed = change(document)
    line = json.dumps(changed if isinstance(changed, str) else document).encode()
    path.write_bytes(b"%08x\n" % google_crc32c.value(line) + line)


class TestSaved:
    def test_what_was_saved_is_taken(self, tmp_path: Path, texts: Dataset, objects: Dataset) -> None:
        for each in (texts, objects):
            surveys, made = Surveys(str(tmp_path / "states"), each), surveyed(each)
            assert surveys.take(each.shards[0]) is None
            surveys.save(each.shards[0], made)
            assert surveys.take(each.shards[0]) == made

    def test_a_mark_is_of_one_dataset(self, tmp_path: Path, texts: Dataset, objects: Dataset) -> None:
        mine, others = (Surveys(str(tmp_path / "states"), each) for each in (texts, objects))
        assert not mine.are_wanted()
        mine.want()
        assert (mine.are_wanted(), others.are_wanted()) == (True, False)

    def test_other_columns_have_surveys_of_their_own(self, tmp_path: Path, texts: Dataset) -> None:
        other = replace(texts, columns=texts.columns[:1])
        names = {Surveys("s", each).name(each.shards[0]) for each in (texts, other)}
        assert len(names) == 2

    def test_what_could_be_of_other_bytes_is_not_saved(self, tmp_path: Path, texts: Dataset) -> None:
        unpinned = dataset.describe([Object(str(tmp_path / "d.csv"), (tmp_path / "d.csv").stat().st_size)])
        surveys = Surveys(str(tmp_path / "states"), unpinned)
        surveys.save(unpinned.shards[0], surveyed(unpinned))
        assert surveys.take(unpinned.shards[0]) is None
        assert not (tmp_path / "states").exists()


class TestDamage:
    @pytest.fixture
    def saved(self, tmp_path: Path, texts: Dataset) -> Path:
        surveys = Surveys(str(tmp_path / "states"), texts)
        surveys.save(texts.shards[0], surveyed(texts))
        return Path(surveys.name(texts.shards[0]))

    def test_a_flipped_byte_makes_it_none_wherever_it_is(self, saved: Path, texts: Dataset) -> None:
        content, surveys = saved.read_bytes(), Surveys(str(saved.parent), texts)
        for place, byte in enumerate(content):
            saved.write_bytes(content[:place] + bytes([byte ^ 1]) + content[place + 1 :])
            assert surveys.take(texts.shards[0]) is None
        saved.write_bytes(content)
        assert surveys.take(texts.shards[0])

    def test_a_copy_of_another_shards_survey_is_none(self, saved: Path, tmp_path: Path) -> None:
        other = described(tmp_path, "other.csv", "n,t\n1,x\n")
        surveys = Surveys(str(saved.parent), other)
        saved.rename(surveys.name(other.shards[0]))
        assert surveys.take(other.shards[0]) is None

    @pytest.mark.parametrize("content", [b"", b"\n", b"\xff" * 100, b"00000000\n{}"])
    def test_what_is_no_survey_is_none(self, content: bytes, saved: Path, texts: Dataset) -> None:
        saved.write_bytes(content)
        assert Surveys(str(saved.parent), texts).take(texts.shards[0]) is None

    def test_a_sound_change_is_taken(self, saved: Path, texts: Dataset) -> None:
        rewritten(saved, lambda document: document.update(begin=5))
        taken = Surveys(str(saved.parent), texts).take(texts.shards[0])
        assert taken
        assert taken.begin == 5

    @pytest.mark.parametrize(
        "change",
        [
            lambda _: "text",
            lambda document: document.pop("begin"),
            lambda document: document.update(begin=-1),
            lambda document: document.update(end=1.5),
            lambda document: document.update(end=True),
            lambda document: document.update(end=1 << 70),
            lambda document: document.update(stretches=[]),
            lambda document: document.update(stretches=document["stretches"] * 2),
            lambda document: document["stretches"][0].update(rows="3"),
            lambda document: document["stretches"][0].update(rows=0),
            lambda document: document["stretches"][0].update(seen={"n": 1}),
            lambda document: document["stretches"][0]["seen"].append(document["stretches"][0]["seen"][0]),
            *(
                lambda document, place=place, value=value: document["stretches"][0]["seen"][0].__setitem__(
                    place, value
                )
                for place, value in [
                    (0, []),
                    (0, "n"),
                    (0, ["other"]),
                    (0, ["n", "below"]),
                    (0, [7]),
                    (0, ["\ud800"]),
                    (1, "TEXT"),
                    (1, 7),
                    (1, []),
                    (2, -1),
                    (3, "1"),
                    (4, 7),
                    (4, "x" * 1_001),
                    (5, 99),
                    (6, 33),
                ]
            ),
        ],
    )
    def test_a_hostile_one_is_none(self, change: Change, saved: Path, texts: Dataset) -> None:
        rewritten(saved, change)
        assert Surveys(str(saved.parent), texts).take(texts.shards[0]) is None

    def test_one_nested_deep_is_none(self, saved: Path, texts: Dataset) -> None:
        line = b"[" * 100_000
        saved.write_bytes(b"%08x\n" % google_crc32c.value(line) + line)
        assert Surveys(str(saved.parent), texts).take(texts.shards[0]) is None


class TestHostileKeys:
    """Of rows that name their columns themselves more keys are possible, but not all."""

    @pytest.mark.parametrize(
        ("path", "kind", "is_taken"),
        [
            (["new"], "INT", True),
            (["s", "new"], "INT", True),
            (["é", "below"], "INT", False),
            (["nowhere", "below"], "INT", False),
            (["s"] * 40, "INT", False),
        ],
    )
    def test_fields_are_those_of_structs(
        self, path: list[str], kind: str, is_taken: bool, tmp_path: Path, objects: Dataset
    ) -> None:
        surveys = Surveys(str(tmp_path / "states"), objects)
        surveys.save(objects.shards[0], surveyed(objects))
        row = [path, kind, 1, 0, "", 0, 0]
        name = Path(surveys.name(objects.shards[0]))
        rewritten(name, lambda document: document["stretches"][0]["seen"].append(row))
        assert (surveys.take(objects.shards[0]) is not None) is is_taken

    def test_there_are_no_more_than_are_read(self, tmp_path: Path, objects: Dataset) -> None:
        surveys = Surveys(str(tmp_path / "states"), objects)
        surveys.save(objects.shards[0], surveyed(objects))
        rows = [[[f"k{number}"], "INT", 1, 0, "", 0, 0] for number in range(20_001)]
        name = Path(surveys.name(objects.shards[0]))
        rewritten(name, lambda document: document["stretches"][0].update(seen=rows))
        assert surveys.take(objects.shards[0]) is None
