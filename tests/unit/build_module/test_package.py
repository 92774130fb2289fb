"""Packages: the same files give the same bytes, and nothing else gets in."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.errors import UserError
from build.package import collect, content_hash, members, tarred, zipped
from templates.config import Config
from tests.configuration import configuration

STEPS = ("init", "evaluate", "prepare", "train")

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\\/"), min_size=1, max_size=20).filter(
    lambda name: name not in {".", ".."}
)
FILES = st.dictionaries(NAMES, st.binary(max_size=50), max_size=5)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small tree as a deployment finds it."""
    for step in STEPS:
        write(tmp_path / "steps" / step / "main.py", f"STEP = {step!r}\n")
    write(tmp_path / "steps" / "init" / "__init__.py", "")
    write(tmp_path / "steps" / "init" / "inner" / "deep.py", "x = 1\n")
    write(tmp_path / "schema" / "taxi.pbtxt", "feature { }\n")
    return tmp_path


@pytest.fixture
def config() -> Config:
    return configuration()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def names_in(archive: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(archive)).namelist()


def items_in(archive: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return tar.getmembers()


def test_every_key_carries_a_hash_and_every_parameter_names_a_key(config: Config, root: Path) -> None:
    packages = collect(config, root)
    keys = set(packages.objects)
    named = {key for name, key in packages.parameters.items() if name != "SchemasPrefix"}
    assert named <= keys
    assert all(
        any(len(part) >= 16 for part in key.replace(".", "-").replace("/", "-").split("-")) for key in keys
    )
    assert f"{packages.parameters['SchemasPrefix']}/taxi.pbtxt" in keys


def test_functions_hold_their_folder_and_training_lies_at_the_root(config: Config, root: Path) -> None:
    packages = collect(config, root)
    body = {name: packages.objects.get(key, b"") for name, key in packages.parameters.items()}
    assert names_in(body["InitPackageKey"]) == ["init/__init__.py", "init/inner/deep.py", "init/main.py"]
    assert names_in(body["EvaluatePackageKey"]) == ["evaluate/main.py"]
    assert [item.name for item in items_in(body["TrainPackageKey"])] == ["main.py"]
    assert body["PrepareScriptKey"] == b"STEP = 'prepare'\n"


def test_the_templates_are_the_rendered_ones(config: Config, root: Path) -> None:
    packages = collect(config, root)
    assert "Resources" in json.loads(packages.pipeline)
    assert "ArtifactBucketName" in json.loads(packages.delivery)["Outputs"]


def test_a_released_template_asks_for_the_image_alone(config: Config, root: Path) -> None:
    packages = collect(config, root)
    key, body = packages.released({"ArtifactBucketName": "artifacts", "Other": "x"})
    parameters = json.loads(body)["Parameters"]
    assert [name for name, each in parameters.items() if "Default" not in each] == ["ValidatorImageURI"]
    assert {name: parameters[name]["Default"] for name in packages.parameters} == packages.parameters
    for name, each in parameters.items():
        if "Default" in each and "AllowedPattern" in each:
            assert re.fullmatch(each["AllowedPattern"], each["Default"]), name
    assert packages.released({"ArtifactBucketName": "others"})[0] != key


def test_two_runs_give_the_same_bytes_whatever_times_and_modes(config: Config, root: Path) -> None:
    first = collect(config, root)
    for path in root.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    before = os.umask(0o077)
    try:
        again = collect(config, root)
    finally:
        os.umask(before)
    assert again == first


def test_byte_code_and_hidden_files_stay_behind(config: Config, root: Path) -> None:
    first = collect(config, root)
    for junk in ("__pycache__/main.cpython-311.pyc", "old.pyc", ".DS_Store", "inner/.idea/x.xml"):
        write(root / "steps" / "init" / junk, "junk")
    assert collect(config, root) == first


@pytest.mark.parametrize("step", STEPS)
def test_a_changed_byte_changes_that_key_alone(config: Config, root: Path, step: str) -> None:
    first = collect(config, root)
    write(root / "steps" / step / "main.py", "changed = True\n")
    again = collect(config, root)
    changed = {name for name in first.parameters if first.parameters[name] != again.parameters[name]}
    assert [name.lower().startswith(step) for name in changed] == [True]


def test_a_changed_schema_changes_the_prefix(config: Config, root: Path) -> None:
    first = collect(config, root)
    write(root / "schema" / "taxi.pbtxt", "feature { name: 'x' }\n")
    again = collect(config, root)
    assert again.parameters["SchemasPrefix"] != first.parameters["SchemasPrefix"]


@pytest.mark.parametrize(
    "name", ["a b.py", "ü日本.py", "-rf.py", "$(x).py", "new\nline.py", "quote'\".py", "a" * 150 + ".py"]
)
def test_hostile_names_survive_both_archives(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, "x")
    files = members(tmp_path)
    assert names_in(zipped(files)) == [name]
    assert [item.name for item in items_in(tarred(files))] == [name]


@pytest.mark.parametrize("missing", ["steps/init", "steps/train/main.py", "schema/taxi.pbtxt"])
def test_what_is_missing_is_named_in_one_line(config: Config, root: Path, missing: str) -> None:
    (root / missing).rename(root / "elsewhere")
    with pytest.raises(UserError, match=missing.partition("/main")[0]) as refused:
        collect(config, root)
    assert "\n" not in str(refused.value)


def test_a_link_is_refused_wherever_it_leads(config: Config, root: Path) -> None:
    (root / "steps" / "init" / "passwd.py").symlink_to("/etc/passwd")
    with pytest.raises(UserError, match=r"passwd\.py: it is not a regular file"):
        collect(config, root)


def test_a_pipe_is_refused_at_once(config: Config, root: Path) -> None:
    os.mkfifo(root / "steps" / "init" / "pipe.py")
    with pytest.raises(UserError, match="not a regular file"):
        collect(config, root)


def test_glue_takes_no_second_module(config: Config, root: Path) -> None:
    write(root / "steps" / "prepare" / "helper.py", "")
    with pytest.raises(UserError, match=r"Glue takes main\.py alone, not helper\.py"):
        collect(config, root)


@given(FILES)
def test_archives_give_back_what_went_in_in_any_order(files: Mapping[str, bytes]) -> None:
    backwards = dict(reversed(list(files.items())))
    assert zipped(files) == zipped(backwards)
    assert tarred(files) == tarred(backwards)
    archive = zipfile.ZipFile(io.BytesIO(zipped(files)))
    assert {entry.filename: archive.read(entry) for entry in archive.infolist()} == files


@given(FILES, FILES)
def test_only_the_same_files_share_a_hash(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> None:
    assert (content_hash(one) == content_hash(other)) is (one == other)


def test_a_byte_moved_to_the_next_file_changes_the_hash() -> None:
    assert content_hash({"a": b"12", "b": b"3"}) != content_hash({"a": b"1", "b": b"23"})


def test_members_are_readable_files_of_root(tmp_path: Path) -> None:
    write(tmp_path / "main.py", "x")
    (entry,) = zipfile.ZipFile(io.BytesIO(zipped(members(tmp_path)))).infolist()
    assert entry.external_attr >> 16 == 0o100644
    (item,) = items_in(tarred(members(tmp_path)))
    assert (item.mode, item.uid, item.gid, item.mtime) == (0o644, 0, 0, 0)
