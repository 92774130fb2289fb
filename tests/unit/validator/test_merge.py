"""What children save and a merge puts together is what one process would have found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from validator import cost, cuts, headers, leftovers, run, settings, survey
from validator.cost import Cost, Task
from validator.cuts import Shard, Weight
from validator.dataset import Dataset
from validator.errors import DataError, Interrupted, MissingError, UsageError
from validator.formats import Header
from validator.formats.columnar import parts
from validator.formats.delimited.reader import Delimited
from validator.formats.jsonlines import reader as jsonlines
from validator.formats.jsonlines.reader import JsonLines
from validator.interruption import Interruption
from validator.profile import Profile
from validator.states import State, States
from validator.store import Object
from validator.verdict import VerdictReport

SHARDS = 17
COUNTS = (1, 2, 8)
ROWS = 3_000


Log = Callable[[str], None]


def quiet(line: str) -> None:
    """Takes a line of the log, for nobody."""


def load(folder: Path, output: str = "out", **options: str) -> settings.Settings:
    given: Mapping[str, str] = {
        "DATA_URI": str(folder / "data"),
        "OUTPUT_URI": str(folder / output),
        "RUN_ID": "r1",
        "RUN_DATE": "2026-11-22",
        "WORKERS": "2",
        **options,
    }
    return settings.load(given, {})


def child(folder: Path, index: int, count: int, log: Log = quiet, **options: str) -> str:
    loaded = load(folder, SHARD_INDEX=str(index), SHARD_COUNT=str(count), **options)
    assert loaded.child
    return run.profile_part(loaded, loaded.child, Interruption(), log)


def merge(folder: Path, count: int, log: Log = quiet, **options: str) -> VerdictReport:
    loaded = load(folder, SHARD_COUNT=str(count), **options)
    # As the command does before each attempt.
    leftovers.clear(loaded.attempt)
    return run.merge(loaded, Interruption(), log)


def validate(folder: Path, **options: str) -> VerdictReport:
    return run.validate(load(folder, "alone", **options), Interruption(), lambda _: None)


def passes(folder: Path, count: int, **options: str) -> tuple[int, VerdictReport]:
    """Runs children and merges until nothing is missing: each pass has the children the merge names."""
    indexes: Sequence[int] = range(count)
    for number in range(1, 10):
        for index in indexes:
            child(folder, index, count, quiet, **options)
        try:
            return number, merge(folder, count, quiet, **options)
        except MissingError:
            indexes = named(folder)["children"]
    raise AssertionError("it never ends")


def named(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "out" / "missing.json").read_text()))


def states(folder: Path, suffix: str = ".state") -> list[Path]:
    return sorted((folder / "out" / "states").glob(f"*{suffix}"))


def said(report: VerdictReport) -> tuple[Any, ...]:
    return (
        report.verdict,
        report.rows,
        report.bytes,
        report.dataset,
        report.findings,
        report.features,
        [(drift.feature, drift.comparator, drift.value) for drift in report.drift],
    )


def equal(folder: Path, one: VerdictReport, other: VerdictReport) -> None:
    assert said(one) == said(other)
    for name in ("statistics.pb", "anomalies.pb", "anomalies.pbtxt"):
        assert (folder / "out" / name).read_bytes() == (folder / "alone" / name).read_bytes(), name
    gates = [json.loads((folder / output / "gate.json").read_text()) for output in ("out", "alone")]
    for gate in gates:
        del gate["uris"]
    assert gates[0] == gates[1]


def rows(texts: Sequence[str], *, late: str = "") -> Iterator[str]:
    """Yields rows of a number, a whole number and a text; the last whole number may be something else."""
    chance = np.random.default_rng(5)
    for number, (x, text) in enumerate(
        zip(chance.normal(41.88, 0.05, ROWS), chance.choice(texts, ROWS), strict=True)
    ):
        whole = late if late and number > ROWS - 5 else number % 97
        yield f"{x:.6f},{whole},{text}\n"


QUOTED = ['"a\nb,c"', '"say ""hi"""', "plain", "", '"\n\n1,2,3\n"']
CUNNING = ['"x\n0.5,1,y"', '"x\n0.5,one,y"', '"x\n0.5,1,""y""\n"']
"""What stands in quotation marks reads as rows: of the first nobody notices, the second has a text."""


def csv(folder: Path, content: Iterable[str], patch: pytest.MonkeyPatch) -> None:
    (folder / "data").mkdir()
    path = folder / "data" / "a.csv"
    path.write_text("x,n,t\n" + "".join(content))
    patch.setattr(Delimited, "weight", Weight(path.stat().st_size // SHARDS))


def quoted(folder: Path, patch: pytest.MonkeyPatch) -> None:
    csv(folder, rows(QUOTED), patch)


def cunning(folder: Path, patch: pytest.MonkeyPatch) -> None:
    csv(folder, rows(CUNNING), patch)


def several(folder: Path, patch: pytest.MonkeyPatch) -> None:
    for day in range(3):
        (folder / "data" / f"day={day}").mkdir(parents=True)
        for number in range(1 + 3 * day):
            text = "".join(list(rows(QUOTED))[: 50 << number])
            (folder / "data" / f"day={day}" / f"{number}.csv").write_text("x,n,t\n" + text.rstrip("\n"))
    patch.setattr(Delimited, "weight", Weight(10_000))


def row_groups(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "data").mkdir()
    table = pa.table({"x": np.arange(ROWS) / 7, "t": [f"t{n % 50}" for n in range(ROWS)]})
    for number in range(2):
        parquet.write_table(table, folder / "data" / f"{number}.parquet", row_group_size=100)
    patch.setattr(parts, "SHARD_BYTES", (folder / "data" / "0.parquet").stat().st_size // SHARDS)


def lines(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "data").mkdir()
    path = folder / "data" / "a.jsonl"
    path.write_text("".join(f'{{"n": {n}, "s": {{"t": "{"xyz"[n % 3]}"}}}}\n' for n in range(ROWS)))
    patch.setattr(JsonLines, "weight", Weight(path.stat().st_size // SHARDS, is_certain=True))


def late_text(folder: Path, patch: pytest.MonkeyPatch) -> None:
    csv(folder, rows(QUOTED, late="seven"), patch)
    patch.setattr("validator.formats.delimited.probe.HEAD_BYTES", 2_000)
    patch.setattr("validator.formats.delimited.reader.block_bytes", lambda _: 2_000)


def late_cunning(folder: Path, patch: pytest.MonkeyPatch) -> None:
    csv(folder, rows(CUNNING, late="1.5"), patch)
    patch.setattr("validator.formats.delimited.probe.HEAD_BYTES", 2_000)
    patch.setattr("validator.formats.delimited.reader.block_bytes", lambda _: 2_000)


def wrongly_guessed(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Read from within a quoted field, all of it is as sound; one whole number there is none."""
    content = list(rows(['"\n0.5,1,"']))
    content[1_300] = '41.88,seven,"\n0.5,1,"\n'
    csv(folder, content, patch)
    patch.setattr("validator.formats.delimited.probe.HEAD_BYTES", 2_000)
    patch.setattr("validator.formats.delimited.reader.block_bytes", lambda _: 2_000)


def late_keys(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Each stretch has a key of its own, one of them none at all for a while, and texts come late."""
    (folder / "data").mkdir()

    def row(number: int) -> str:
        fields = {"n": number if number < ROWS - 9 else "many", f"k{number // 500}": [[0.5]]}
        return json.dumps({} if 900 < number < 1_400 else fields) + "\n"

    for name in "ab":
        (folder / "data" / f"{name}.jsonl").write_text("".join(map(row, range(ROWS))))
    size = (folder / "data" / "a.jsonl").stat().st_size
    patch.setattr(JsonLines, "weight", Weight(size // SHARDS, is_certain=True))
    patch.setattr(jsonlines, "PROBE_BYTES", 1_000)


Make = Callable[[Path, pytest.MonkeyPatch], None]


class TestEqual:
    @pytest.mark.parametrize("count", COUNTS)
    @pytest.mark.parametrize("make", [quoted, cunning, several, row_groups, lines])
    def test_one_pass_of_children_finds_what_one_process_finds(
        self, make: Make, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path, monkeypatch)
        alone = validate(tmp_path)
        needed, merged = passes(tmp_path, count)
        assert needed == 1
        equal(tmp_path, merged, alone)
        assert not (tmp_path / "out" / "missing.json").exists()

    @pytest.mark.parametrize("count", COUNTS)
    @pytest.mark.parametrize("make", [late_text, late_cunning, late_keys])
    def test_two_passes_are_enough_when_values_do_not_fit(
        self, make: Make, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(tmp_path, monkeypatch)
        alone = validate(tmp_path)
        needed, merged = passes(tmp_path, count)
        assert needed == 2
        equal(tmp_path, merged, alone)
        assert not (tmp_path / "out" / "missing.json").exists()

    @pytest.mark.parametrize("count", COUNTS)
    def test_the_first_text_among_numbers_has_its_row(
        self, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        late_text(tmp_path, monkeypatch)
        _, merged = passes(tmp_path, count)
        (mixed,) = (finding.message for finding in merged.findings if finding.code == "MIXED_TYPES")
        assert f"4 texts among {ROWS - 4:,} numbers" in mixed
        assert f"“seven” in row {ROWS - 3:,} of" in mixed

    def test_a_schema_and_a_baseline_judge_as_they_do_alone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        quoted(tmp_path, monkeypatch)
        schema = run.infer(load(tmp_path, "inferred"), Interruption(), lambda _: None)
        Path(schema).write_text(Path(schema).read_text().replace('value: "plain"', 'value: "other"'))
        baseline = validate(tmp_path).artifacts["statistics"]
        judged = {"SCHEMA_URI": schema, "BASELINE_URI": baseline}
        alone = run.validate(load(tmp_path, "alone", **judged), Interruption(), lambda _: None)
        _, merged = passes(tmp_path, 3, **judged)
        equal(tmp_path, merged, alone)
        assert merged.verdict == "fail"
        assert merged.drift


class TestPasses:
    """Two, and one more for each pass in which a child does not end that has types nobody had seen."""

    def test_a_child_that_first_ends_in_the_second_pass_can_need_a_third(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        late_keys(tmp_path, monkeypatch)
        with (tmp_path / "data" / "b.jsonl").open("a") as file:
            file.write('{"of nobody else": 1}\n')
        alone = validate(tmp_path)
        for index in range(7):
            child(tmp_path, index, 8)
        with pytest.raises(MissingError):
            merge(tmp_path, 8)
        needed, merged = passes(tmp_path, 8)
        assert needed == 2
        equal(tmp_path, merged, alone)

    def test_a_value_that_a_wrong_guess_hid_can_need_a_third(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wrongly_guessed(tmp_path, monkeypatch)
        alone = validate(tmp_path)
        assert "MIXED_TYPES" in {finding.code for finding in alone.findings}
        needed, merged = passes(tmp_path, SHARDS)
        assert needed == 3
        equal(tmp_path, merged, alone)

    def test_in_any_order_it_ends_alike(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        late_keys(tmp_path, monkeypatch)
        alone = validate(tmp_path)
        chance = np.random.default_rng(3)
        indexes: Sequence[int] = range(8)
        for _ in range(3):
            for index in chance.permutation(indexes):
                child(tmp_path, int(index), 8)
            try:
                merged = merge(tmp_path, 8)
                break
            except MissingError:
                indexes = named(tmp_path)["children"]
        equal(tmp_path, merged, alone)

    def test_who_meets_it_surveys_its_own_shards_and_profiles_no_more(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        late_text(tmp_path, monkeypatch)
        said = [child(tmp_path, index, 4) for index in range(4)]
        assert [line.split(", ")[0].split()[-1] for line in said[:3]] == [f"{tmp_path}/out/states"] * 3
        assert said[3].startswith("child 4 of 4: 4 shards surveyed, columns have to be wider; merge names")
        assert len(states(tmp_path, ".survey")) == 4

    def test_a_value_that_fits_no_survey_ends(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        late_text(tmp_path, monkeypatch)
        for index in range(4):
            child(tmp_path, index, 4)
        monkeypatch.setattr(survey, "joined", lambda dataset, _: (list(_), (dataset, ()))[1])
        with pytest.raises(DataError, match="column 'n' has 'seven'"):
            child(tmp_path, 3, 4)


class TestNeighbours:
    def test_only_a_wrong_guess_is_read_again(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        cunning(tmp_path, monkeypatch)
        for index in range(8):
            child(tmp_path, index, 8)
        log: list[str] = []
        merged = merge(tmp_path, 8, log.append)
        read = [line for line in log if " done: " in line]
        assert 0 < len(read) < 8
        assert len(log) == SHARDS
        equal(tmp_path, merged, validate(tmp_path))
        again: list[str] = []
        merge(tmp_path, 8, again.append)
        assert [line for line in again if " done: " in line] == []

    def test_bad_data_behind_a_guess_are_told_with_their_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        csv(tmp_path, [*rows(["plain"]), "1,2\n"], monkeypatch)
        with pytest.raises(DataError, match=f"line {ROWS + 2}: expected 3 fields, found 2"):
            child(tmp_path, SHARDS - 1, SHARDS)

    def test_a_wrong_guess_is_no_bad_data(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        csv(tmp_path, rows(['"a,b,c,d\ne,f"']), monkeypatch)
        found: list[str] = []
        monkeypatch.setattr(
            Dataset, "first_row", _noting(Dataset.first_row, lambda cut: found.append(str(cut.start)))
        )
        for index in range(8):
            child(tmp_path, index, 8)
        equal(tmp_path, merge(tmp_path, 8), validate(tmp_path))
        assert found


def _noting(act: Callable[..., int], note: Callable[[Any], None]) -> Callable[..., int]:
    def noting(self: Dataset, cut: Any, halt: Any) -> int:
        note(cut)
        return act(self, cut, halt)

    return noting


class TestMissing:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        several(tmp_path, monkeypatch)
        for index in range(8):
            child(tmp_path, index, 8)
        return tmp_path

    def spoilt(self, folder: Path, index: int, spoil: Callable[[Path], object]) -> int:
        """Spoils a state of a child, and returns how many it has."""
        work = run._work(load(folder), None, Interruption())
        names = States(work.states_uri, work.dataset)
        part = cuts.part(work.dataset.shards, index, 8)
        spoil(Path(names.name(work.dataset.shards[part.start])))
        return len(part)

    @pytest.mark.parametrize(
        "spoil",
        [
            Path.unlink,
            lambda path: path.write_bytes(path.read_bytes()[:-1]),
            lambda path: path.write_bytes(path.read_bytes().replace(b"begin", b"BEGIN", 1)),
            lambda path: path.write_bytes(b""),
            lambda path: path.write_bytes(b"[" * 100_000 + b"\n"),
            lambda path: copyfile(min({*path.parent.glob("*.state")} - {path}), path),
        ],
    )
    def test_a_missing_or_damaged_shard_is_named_and_only_its_child_runs_again(
        self, spoil: Callable[[Path], object], folder: Path
    ) -> None:
        of_child = self.spoilt(folder, 5, spoil)
        with pytest.raises(MissingError) as caught:
            merge(folder, 8)
        assert str(caught.value) == (
            f"cannot merge below {folder}/out/states: states are missing or damaged: 1 of 20 shards; "
            f"run child 6 of 8 again (SHARD_INDEX 5), as {folder}/out/missing.json says"
        )
        assert named(folder) == {"version": 1, "run_id": "r1", "child_count": 8, "children": [5]}
        assert not (folder / "out" / "gate.json").exists()
        assert not (folder / "out" / "statistics.pb").exists()
        log: list[str] = []
        child(folder, 5, 8, log.append)
        assert [" done: " in line for line in log] == [True] + [False] * (of_child - 1)
        equal(folder, merge(folder, 8), validate(folder))
        assert not (folder / "out" / "missing.json").exists()

    def test_nothing_missing_is_read_by_the_merge(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.spoilt(folder, 5, Path.unlink)
        monkeypatch.setattr(Delimited, "read", lambda *_: pytest.fail("it is read"))
        with pytest.raises(MissingError):
            merge(folder, 8)

    def test_after_a_value_that_does_not_fit_nothing_saved_is_looked_at(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wrongly_guessed(tmp_path, monkeypatch)
        for index in range(SHARDS):
            child(tmp_path, index, SHARDS)
        taken: list[Shard] = []
        take = States.take

        def noting(self: States, shard: Shard) -> State | None:
            taken.append(shard)
            return take(self, shard)

        monkeypatch.setattr(States, "take", noting)
        with pytest.raises(MissingError):
            merge(tmp_path, SHARDS)
        assert named(tmp_path)["children"] == list(range(SHARDS))
        assert len(taken) == len(set(taken))

    def test_all_that_is_missing_is_named_at_once(self, folder: Path) -> None:
        for path in states(folder):
            path.unlink()
        with pytest.raises(
            MissingError, match=r"run children 1, 2, .* and 8 of 8 again \(SHARD_INDEX 0, 1, .* and 7\)"
        ):
            merge(folder, 8)

    def test_another_number_of_children_names_others(self, folder: Path) -> None:
        self.spoilt(folder, 7, Path.unlink)
        with pytest.raises(MissingError):
            merge(folder, 2)
        assert named(folder)["children"] == [1]
        with pytest.raises(MissingError):
            merge(folder, 1)
        assert named(folder)["children"] == [0]

    def test_what_was_profiled_twice_counts_once(self, folder: Path) -> None:
        alone = validate(folder)
        for index in range(3):
            child(folder, index, 3)
        equal(folder, merge(folder, 8), alone)

    @pytest.mark.parametrize("change", [{"CSV_COLUMNS": "x,n,t,day"}, {"CSV_DELIMITER": ";"}])
    def test_states_of_another_configuration_are_none(self, change: dict[str, str], folder: Path) -> None:
        with pytest.raises((MissingError, DataError)):
            merge(folder, 8, quiet, **change)
        assert not (folder / "out" / "gate.json").exists()

    def test_states_of_another_engine_are_none(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("validator.states.ENGINE_VERSION", -1)
        with pytest.raises(MissingError):
            merge(folder, 8)
        assert named(folder)["children"] == list(range(8))

    def test_a_schema_that_widens_needs_its_own_states(self, folder: Path) -> None:
        (folder / "s.pbtxt").write_text('feature { name: "n" type: FLOAT }')
        with pytest.raises(MissingError):
            merge(folder, 8, SCHEMA_URI=str(folder / "s.pbtxt"))

    def test_data_that_changed_need_their_own_states(self, folder: Path) -> None:
        path = folder / "data" / "day=0" / "0.csv"
        path.write_text(path.read_text() + "\n0.5,7,new\n")
        with pytest.raises(MissingError):
            merge(folder, 8)

    def test_states_may_lie_elsewhere(self, folder: Path) -> None:
        (folder / "out" / "states").rename(folder / "elsewhere")
        equal(folder, merge(folder, 8, STATES_URI=str(folder / "elsewhere")), validate(folder))

    def test_a_run_saves_them_where_it_is_told(self, folder: Path) -> None:
        validate(folder, STATES_URI=str(folder / "elsewhere"))
        assert list((folder / "elsewhere").glob("*.state"))
        assert not (folder / "alone" / "states").exists()

    @pytest.mark.parametrize("uri", ["http://127.0.0.1:1/states", "s3://", "file://", "data/day=0/0.csv"])
    def test_no_child_is_asked_for_states_where_none_can_be(self, uri: str, folder: Path) -> None:
        given = str(folder / uri) if "://" not in uri else uri
        with pytest.raises(UsageError, match=r"^cannot (use|write) .*; STATES_URI \(--states\) names it$"):
            merge(folder, 8, STATES_URI=given)
        assert not (folder / "out" / "missing.json").exists()


class TestHeaders:
    @pytest.fixture
    def reads(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The objects whose headers were read."""
        late_keys(tmp_path, monkeypatch)
        found: list[str] = []
        header = JsonLines.header

        def noting(self: JsonLines, target: Object) -> Header:
            found.append(target.uri)
            return header(self, target)

        monkeypatch.setattr(JsonLines, "header", noting)
        return found

    def test_are_read_by_the_first_process_alone(self, reads: list[str], tmp_path: Path) -> None:
        needed, merged = passes(tmp_path, 4)
        assert (needed, sorted(Path(uri).name for uri in reads)) == (2, ["a.jsonl", "b.jsonl"])
        equal(tmp_path, merged, validate(tmp_path))

    @pytest.mark.parametrize(
        "spoil",
        [
            Path.unlink,
            lambda path: path.write_bytes(b""),
            lambda path: path.write_bytes(path.read_bytes()[:-1]),
            lambda path: path.write_bytes(path.read_bytes().replace(b"INT", b"BYTES", 1)),
            lambda path: path.write_bytes(headers._checksum(b"[[]]") + b"\n[[]]"),
            lambda path: path.write_bytes(headers._checksum(b"{}{") + b"\n{}{"),
        ],
    )
    def test_a_damaged_list_of_columns_is_none(
        self, spoil: Callable[[Path], object], reads: list[str], tmp_path: Path
    ) -> None:
        child(tmp_path, 0, 4)
        (path,) = states(tmp_path, ".columns")
        before = path.read_bytes()
        spoil(path)
        reads.clear()
        child(tmp_path, 1, 4)
        assert len(reads) == 2
        assert path.read_bytes() == before

    def test_a_copy_of_others_columns_is_none(self, reads: list[str], tmp_path: Path) -> None:
        child(tmp_path, 0, 4)
        (path,) = states(tmp_path, ".columns")
        before = path.read_bytes()
        (tmp_path / "s.pbtxt").write_text('feature { name: "n" type: BYTES }')
        child(tmp_path, 0, 4, SCHEMA_URI=str(tmp_path / "s.pbtxt"))
        (other,) = {*states(tmp_path, ".columns")} - {path}
        copyfile(other, path)
        reads.clear()
        child(tmp_path, 1, 4)
        assert (len(reads), path.read_bytes() == before) == (2, True)

    def test_other_objects_or_types_have_others(self, reads: list[str], tmp_path: Path) -> None:
        child(tmp_path, 0, 4)
        (tmp_path / "s.pbtxt").write_text('feature { name: "n" type: FLOAT }')
        child(tmp_path, 0, 4, SCHEMA_URI=str(tmp_path / "s.pbtxt"))
        assert len(states(tmp_path, ".columns")) == 2
        with (tmp_path / "data" / "a.jsonl").open("a") as file:
            file.write('{"new": 1}\n')
        child(tmp_path, 0, 4)
        assert len(states(tmp_path, ".columns")) == 3
        assert len(reads) == 6

    def test_another_dialect_has_others(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        several(tmp_path, monkeypatch)
        child(tmp_path, 0, 4)
        child(tmp_path, 0, 4, CSV_COLUMNS="x,n,t")
        assert len(states(tmp_path, ".columns")) == 2

    def test_one_process_alone_saves_none(self, reads: list[str], tmp_path: Path) -> None:
        validate(tmp_path)
        assert not list((tmp_path / "alone").glob("states/*.columns"))
        assert len(reads) == 2


PRICED = {"PRICE_VCPU_HOUR": "0.04", "PRICE_GB_HOUR": "0.005", "CAPACITY": "FARGATE_SPOT"}


class TestCost:
    """Every task is billed a minute: of 1 vCPU and 2 GB for children, of 2 vCPU and 8 GB for the merge."""

    @pytest.fixture(autouse=True)
    def _in_ecs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        several(tmp_path, monkeypatch)
        monkeypatch.setattr(cost, "read_task", lambda _: Task(1, 2, datetime.now(UTC)))

    def merged(self, folder: Path, patch: pytest.MonkeyPatch) -> Cost:
        patch.setattr(cost, "read_task", lambda _: Task(2, 8, datetime.now(UTC)))
        report = merge(folder, 4, quiet, **PRICED)
        assert report.cost
        assert report.timings.get("children", 0) == 60 * self.told(folder)
        return report.cost

    def told(self, folder: Path) -> int:
        files = (folder / "out").glob("costs/*.json")
        return sum(json.loads(path.read_text())["tasks"] for path in files)

    def test_of_a_shared_day_is_that_of_all_its_tasks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for index in (0, 1, 2, 3, 3):
            child(tmp_path, index, 4, quiet, **PRICED)
        made = self.merged(tmp_path, monkeypatch)
        assert self.told(tmp_path) == 5
        assert (made.vcpu_hours, made.gb_hours) == (round(7 / 60, 6), round(18 / 60, 6))
        assert made.usd == pytest.approx(7 / 60 * 0.04 + 18 / 60 * 0.005, abs=1e-6)
        assert "5 tasks of children" in made.basis

    def test_an_attempt_that_was_interrupted_or_refused_counts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loaded = load(tmp_path, SHARD_INDEX="0", SHARD_COUNT="4", WORKERS="1")
        assert loaded.child
        interruption = Interruption()
        with pytest.raises(Interrupted):
            run.profile_part(loaded, loaded.child, interruption, lambda _: interruption._note(15, None))
        assert self.told(tmp_path) == 1
        with monkeypatch.context() as patch:
            patch.setattr("validator.manifest.Object.is_pinned", False)
            with pytest.raises(UsageError):
                child(tmp_path, 1, 4)
        assert self.told(tmp_path) == 2

    @pytest.mark.parametrize("content", ["", "{}", "[]", '{"run_id": "r1", "tasks": 1}'])
    def test_what_cannot_be_read_counts_for_nothing(
        self, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for index in range(4):
            child(tmp_path, index, 4, quiet, **PRICED)
        for path in (tmp_path / "out" / "costs").iterdir():
            path.write_text(content)
        monkeypatch.setattr(self, "told", lambda _: 0)
        assert "of the merge alone" in self.merged(tmp_path, monkeypatch).basis

    def test_of_another_run_counts_for_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for index in range(4):
            child(tmp_path, index, 4, quiet, **{**PRICED, "RUN_ID": "another"})
        monkeypatch.setattr(self, "told", lambda _: 0)
        assert "of the merge alone" in self.merged(tmp_path, monkeypatch).basis

    def test_a_cost_that_cannot_be_written_fails_no_child(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "costs").touch()
        assert child(tmp_path, 0, 4).startswith("child 1 of 4: ")


class TestChildren:
    def test_a_child_writes_states_and_nothing_else(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        several(tmp_path, monkeypatch)
        assert child(tmp_path, 0, 2).startswith("child 1 of 2: ")
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["states"]

    def test_one_without_a_shard_saves_what_it_read_of_all_headers_alone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        several(tmp_path, monkeypatch)
        said = [child(tmp_path, index, 10_000) for index in (1, 9_998)]
        assert all("0 shards" in line for line in said)
        (saved,) = (tmp_path / "out").glob("**/*.*")
        assert saved.suffix == ".columns"

    def test_no_data_is_a_verdict(self, tmp_path: Path) -> None:
        manifest = {
            "version": 1,
            "dataset": "taxi",
            "run_date": "2026-11-22",
            "run_id": "r1",
            "data_uri": str(tmp_path),
            "objects": [],
        }
        (tmp_path / "m.json").write_text(json.dumps(manifest))
        _, merged = passes(tmp_path, 2, MANIFEST_URI=str(tmp_path / "m.json"))
        assert (merged.verdict, merged.rows) == ("fail", 0)

    def test_what_nobody_could_tell_from_other_bytes_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        several(tmp_path, monkeypatch)
        monkeypatch.setattr("validator.manifest.Object.is_pinned", False)
        with pytest.raises(UsageError, match=r"cannot save what is known of .*: nobody could tell"):
            child(tmp_path, 0, 2)

    def test_an_interruption_keeps_what_is_done(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        several(tmp_path, monkeypatch)
        interruption = Interruption()

        def interrupt(line: str) -> None:
            interruption._note(15, None)

        loaded = load(tmp_path, SHARD_INDEX="0", SHARD_COUNT="1", WORKERS="1")
        assert loaded.child
        with pytest.raises(Interrupted, match=r"SIGTERM after shard 1 of .*; start again"):
            run.profile_part(loaded, loaded.child, interruption, interrupt)
        assert states(tmp_path)
        log: list[str] = []
        child(tmp_path, 0, 1, log.append)
        assert "taken from saved state" in log[0]

    def test_a_guess_is_saved_under_the_name_of_its_shard(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who reads it again puts the truth in its place."""
        cunning(tmp_path, monkeypatch)
        for index in range(8):
            child(tmp_path, index, 8)
        before = len(states(tmp_path))
        merge(tmp_path, 8)
        assert (before, len(states(tmp_path))) == (SHARDS, SHARDS)

    def test_a_hostile_state_with_a_sound_checksum_is_merged_nowhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A state that begins where no neighbour ends is a wrong guess, and read again."""
        quoted(tmp_path, monkeypatch)
        for index in range(2):
            child(tmp_path, index, 2)
        work = run._work(load(tmp_path), None, Interruption())
        saved = States(work.states_uri, work.dataset)
        saved.save(work.dataset.shards[5], State(Profile(work.dataset.columns), 1 << 60, 1 << 60))
        equal(tmp_path, merge(tmp_path, 2), validate(tmp_path))


def test_profile_alone_writes_statistics_and_judges_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    several(tmp_path, monkeypatch)
    run.profile(load(tmp_path), Interruption(), lambda _: None)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["states", "statistics.pb"]
    equal(tmp_path, merge(tmp_path, 1), validate(tmp_path))
