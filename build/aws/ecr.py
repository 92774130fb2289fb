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

    def login(self) -> Login:
        """A login good for twelve hours at this account's registry."""
        with asking("log in to ECR"):
            found = self._client.get_authorization_token()["authorizationData"][0]
        user, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
        return Login(found["proxyEndpoint"].removeprefix("https://"), user, password)
