"""The validator's image: built once for each content, pushed to ECR, named by digest.

The tag carries the hash of what goes into the image. An image whose tag is in the repository is not built
again: tags are immutable there, and the same content is the same image. Before it is deployed an image gets
another tag, by which the repository keeps it: versions of the state machine name it for as long as they last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from build.aws.ecr import Login, Manifest
from build.errors import PlatformError, UserError
from build.package import HASH_LENGTH, content_hash, members
from templates.delivery import BUILD_TAG, RELEASE_TAG

PLATFORM: Final = "linux/amd64"
"""TFDV has no wheel for Linux on arm64, and the task definition says X86_64."""

CONTEXT: Final = ("Dockerfile", ".dockerignore", "requirements.txt")
"""What the image is made of, besides validator/."""


class Repository(Protocol):
    """What an image needs of ECR."""

    def digest(self, repository: str, tag: str) -> str | None:
        """Digest of the image with that tag, None when there is none."""

    def login(self) -> Login:
        """A login for the registry."""

    def manifest(self, repository: str, digest: str) -> Manifest | None:
        """Manifest of an image, None when there is none."""

    def put(self, repository: str, manifest: Manifest, tag: str) -> None:
        """Give an image another tag."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine: docker, or what speaks its language.

    Attributes:
        command: The program's name.
        run: Runs a program, with a secret on its stdin.
    """

    command: str
    run: Callable[..., None]

    def login(self, login: Login) -> None:
        """Log in to a registry; the password goes through stdin, where no process list shows it."""
        argv = ["login", "--username", login.user, "--password-stdin", login.registry]
        self._do(argv, secret=login.password)

    def build(self, root: Path, name: str) -> None:
        """Build the image of the folder's Dockerfile."""
        self._do(["build", "--platform", PLATFORM, "--tag", name, str(root)])

    def push(self, name: str) -> None:
        """Push the image."""
        self._do(["push", name])

    def _do(self, arguments: Sequence[str], secret: str | None = None) -> None:
        self.run([self.command, *arguments], secret=secret)


def publish(repository: Repository, engine: Engine, repository_uri: str, root: Path) -> str:
    """Make sure that the image of this content is in the repository.

    Args:
        repository: ECR.
        engine: Builds and pushes when the image is not there yet.
        repository_uri: Such as `<account>.dkr.ecr.<region>.amazonaws.com/<name>`.
        root: Folder with the Dockerfile.

    Returns:
        The image's URI by digest.

    Raises:
        UnavailableError: There is no container engine on this machine.
        PlatformError: The engine or ECR refused.
    """
    _, _, name = repository_uri.partition("/")
    tag = tag_of(root)
    digest = repository.digest(name, tag)
    if digest is None:
        _push(repository, engine, f"{repository_uri}:{tag}", root)
        # Asked of ECR: what the engine calls a digest can be that of its local copy.
        digest = repository.digest(name, tag)
    if digest is None:
        raise PlatformError(f"pushed {repository_uri}:{tag}, but ECR does not know it; try again")
    return f"{repository_uri}@{digest}"


def keep(repository: Repository, image_uri: str) -> None:
    """Make sure that no lifecycle rule takes an image that is about to be deployed.

    Args:
        repository: ECR.
        image_uri: The image, by digest.

    Raises:
        UserError: There is no such image.
        PlatformError: ECR refused.
    """
    path, _, digest = image_uri.partition("@")
    _, _, name = path.partition("/")
    tag = f"{RELEASE_TAG}{digest.removeprefix('sha256:')[:HASH_LENGTH]}"
    if repository.digest(name, tag) == digest:
        return
    manifest = repository.manifest(name, digest)
    if manifest is None:
        hint = "make image makes that of this tree"
        raise UserError(f"cannot deploy {image_uri}: there is no such image; {hint}")
    repository.put(name, manifest, tag)


def tag_of(root: Path) -> str:
    """The tag of what the folder's image would contain.

    Raises:
        UserError: Part of it is missing.
    """
    try:
        files = {name: (root / name).read_bytes() for name in CONTEXT}
    except OSError as error:
        raise UserError(f"cannot build the image: {error.filename}: {error.strerror}") from error
    validator = {f"validator/{name}": body for name, body in members(root / "validator").items()}
    return f"{BUILD_TAG}{content_hash({**files, **validator})}"


def _push(repository: Repository, engine: Engine, name: str, root: Path) -> None:
    engine.build(root, name)
    engine.login(repository.login())
    engine.push(name)
