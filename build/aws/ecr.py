"""ECR: where the validator's image lives."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from build.aws.faults import RefusedError, asking


@dataclass(frozen=True, slots=True)
class Login:
    """What a container engine needs to push; the password never shows in a repr."""

    registry: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an image is made of, as ECR keeps it; its digest is that of the body."""

    digest: str
    body: str
    media_type: str


class Ecr:
    """Tiny methods over one boto3 client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def digest(self, repository: str, tag: str) -> str | None:
        """Digest of the image that carries the tag, None when there is none."""
        try:
            with asking(f"look for {repository}:{tag}"):
                answer = self._client.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
        except RefusedError as error:
            if error.code == "ImageNotFoundException":
                return None
            raise
        return next((str(image["imageDigest"]) for image in answer["imageDetails"]), None)

    def manifest(self, repository: str, digest: str) -> Manifest | None:
        """The manifest of an image, None when there is no such image."""
        with asking(f"look for {repository}@{digest}"):
            answer = self._client.batch_get_image(
                repositoryName=repository, imageIds=[{"imageDigest": digest}]
            )
        found = ((each["imageManifest"], each["imageManifestMediaType"]) for each in answer["images"])
        return next((Manifest(digest, body, media_type) for body, media_type in found), None)

    def put(self, repository: str, manifest: Manifest, tag: str) -> None:
        """Give an image a tag, beside those it has; its layers are in the repository."""
        with asking(f"tag {repository}@{manifest.digest} as {tag}"):
            self._client.put_image(
                repositoryName=repository,
                imageManifest=manifest.body,
                imageManifestMediaType=manifest.media_type,
                imageDigest=manifest.digest,
                imageTag=tag,
            )

    def login(self) -> Login:
        """A login good for twelve hours at this account's registry."""
        with asking("log in to ECR"):
            found = self._client.get_authorization_token()["authorizationData"][0]
        user, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
        return Login(found["proxyEndpoint"].removeprefix("https://"), user, password)
