"""Collects what a deployment uploads: step code, schemas and the pipeline's template, in memory.

Pure: reads the working tree, writes nothing, asks nobody. The same files give the same bytes and keys,
whatever their times, modes and order on disk. A key carries the hash of the members' names and bytes, not
of the archive, so that a compressor of another version changes no key and replaces no resource.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from build.errors import UserError
from templates.config import Config
from templates.stacks import render

HASH_LENGTH: Final = 16
"""Hex digits of SHA-256 in a key."""

_FILE_MODE: Final = 0o644
_ZIP_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold."""

Members = Mapping[str, bytes]
"""Names inside an archive, and what is in them."""


@dataclass(frozen=True, slots=True)
class Packages:
    """Everything a deployment uploads, and how the templates are told of it.

    Attributes:
        objects: S3 key -> bytes; each key carries the hash of its content.
        parameters: Parameters of the pipeline stack that name these keys.
        delivery: Body of the delivery stack's template; it makes the bucket, so it goes inline.
        pipeline: Body of the pipeline stack's template, as it is rendered.
    """

    objects: Mapping[str, bytes]
    parameters: Mapping[str, str]
    delivery: str
    pipeline: str

    def released(self, delivery: Mapping[str, str]) -> tuple[str, bytes]:
        """Key and body of the pipeline's template with this release for its defaults.

        Who deploys it gives an image, and nothing else.

        Args:
            delivery: Outputs of the delivery stack, where the packages lie.
        """
        template = json.loads(self.pipeline)
        for name, value in {**self.parameters, **delivery}.items():
            if declared := template["Parameters"].get(name):
                declared["Default"] = value
        body = json.dumps(template, indent=2, ensure_ascii=False).encode() + b"\n"
        return f"templates/pipeline-{_hash(body)}.json", body


def collect(config: Config, root: Path) -> Packages:
    """Collect the packages of a configuration.

    Args:
        config: Names the datasets and renders the templates.
        root: Folder that holds `steps/` and the schemas that the configuration names.

    Raises:
        UserError: A file is missing, or is not a regular file.
    """
    steps = root / "steps"
    init = _function("init", _step(steps / "init"))
    evaluate = _function("evaluate", _step(steps / "evaluate"))
    prepare = _script("prepare", _step(steps / "prepare"))
    train = _tarball("train", _step(steps / "train"))
    schemas = _schemas(config, root)
    return Packages(
        objects=dict([init, evaluate, prepare, train])
        | {f"{schemas.prefix}/{name}": body for name, body in schemas.members.items()},
        parameters={
            "InitPackageKey": init[0],
            "EvaluatePackageKey": evaluate[0],
            "PrepareScriptKey": prepare[0],
            "TrainPackageKey": train[0],
            "SchemasPrefix": schemas.prefix,
        },
        delivery=render("delivery", config),
        pipeline=render("pipeline", config),
    )


def members(folder: Path) -> Members:
    """A folder's files by their relative names; byte code and hidden files stay behind.

    Raises:
        UserError: There is no such folder, or something in it is neither file nor folder (a link could
            lead anywhere).
    """
    if not folder.is_dir():
        raise UserError(f"cannot package {folder}: there is no such folder")
    return {path.relative_to(folder).as_posix(): _read(path) for path in sorted(_files(folder))}


def zipped(files: Members) -> bytes:
    """A zip whose bytes depend on names and contents alone.

    The members are stored, not deflated: they are a few kilobytes, and no version of zlib shows in the bytes.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
            entry.create_system = 3  # Unix, also where this runs on Windows: it gives the mode its meaning
            entry.external_attr = (0o100000 | _FILE_MODE) << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def tarred(files: Members) -> bytes:
    """A tar.gz whose bytes depend on names and contents, and on the version of zlib."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), _FILE_MODE
            archive.addfile(entry, io.BytesIO(files[name]))
    return buffer.getvalue()


def content_hash(files: Members) -> str:
    """Hash of names and contents; a byte moved from one file to the next changes it too."""
    digests = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
    return _hash(json.dumps(digests, sort_keys=True).encode())


@dataclass(frozen=True, slots=True)
class _Schemas:
    prefix: str
    members: Members


def _schemas(config: Config, root: Path) -> _Schemas:
    found = {
        f"{dataset.name}.pbtxt": _read(root / dataset.schema) for dataset in config.datasets if dataset.schema
    }
    return _Schemas(f"schemas/{content_hash(found)}", found)


def _step(folder: Path) -> Members:
    files = members(folder)
    if "main.py" not in files:
        raise UserError(f"cannot package {folder}: it has no main.py, where a step begins")
    return files


def _function(step: str, files: Members) -> tuple[str, bytes]:
    """A Lambda's zip holds the folder itself, so that its handler is `<step>.main.handler`."""
    inside = {f"{step}/{name}": body for name, body in files.items()}
    return f"packages/{step}-{content_hash(inside)}.zip", zipped(inside)


def _tarball(step: str, files: Members) -> tuple[str, bytes]:
    return f"packages/{step}-{content_hash(files)}.tar.gz", tarred(files)


def _script(step: str, files: Members) -> tuple[str, bytes]:
    """Glue takes one script and no archive."""
    if len(files) > 1:
        extra = ", ".join(sorted(files.keys() - {"main.py"}))
        raise UserError(f"cannot package step {step}: Glue takes main.py alone, not {extra}")
    return f"packages/{step}-{_hash(files['main.py'])}.py", files["main.py"]


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name == "__pycache__" or path.name.startswith(".") or path.suffix == ".pyc":
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        else:
            yield path


def _read(path: Path) -> bytes:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise UserError(f"cannot package {path}: it is not a regular file; put the file itself there")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot package {path}: {error.strerror}") from error


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:HASH_LENGTH]
