"""SageMaker's control plane behind the one endpoint: moto's model registry and the training jobs run here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from build.rehearsal.emulator import integrations, needs
from build.rehearsal.emulator.faults import Kind
from build.rehearsal.emulator.integrations import StepError
from build.rehearsal.emulator.runtime import Runtime
from build.rehearsal.emulator.training_jobs import TrainingJobs

_SERVICE: Final = "sagemaker"
_TARGET: Final = "SageMaker"

Response = tuple[int, dict[str, str], bytes]


class ModelRegistry:
    """The service ``sagemaker``."""

    def __init__(self, runtime: Runtime, jobs: TrainingJobs) -> None:
        self._runtime = runtime
        self._jobs = jobs
        self._packages: dict[str, Response] = {}

    def register(self) -> None:
        """Serves SageMaker beside MiniStack's services, to clients and to ``aws-sdk:sagemaker``."""
        from ministack import app  # noqa: PLC0415
        from ministack.core import router  # noqa: PLC0415
        from ministack.services import stepfunctions  # noqa: PLC0415

        app.SERVICE_HANDLERS[_SERVICE] = self._handle
        router.SERVICE_PATTERNS[_SERVICE] = {"target_prefixes": [f"{_TARGET}."]}
        stepfunctions._AWS_SDK_SERVICE_MAP[_SERVICE] = {"protocol": "json", "target_prefix": _TARGET}
        stepfunctions._AWS_SDK_ERROR_PREFIX[_SERVICE] = _TARGET
        integrations.register("aws-sdk:sagemaker:createModelPackage", self.create_model_package)

    def create_model_package(self, resource: str, arguments: dict[str, Any]) -> Any:
        """Registers a model.

        Raises:
            StepError: SageMaker.SageMakerException on the crash a rehearsal asks for.
        """
        from ministack.services import stepfunctions  # noqa: PLC0415

        attempt = integrations.current("Register")
        if self._runtime.faults.take(attempt.step, lambda fault: fault.kind is Kind.CRASH):
            raise StepError(
                "SageMaker.SageMakerException", "Internal failure (Service: SageMaker, Status Code: 500)"
            )
        return stepfunctions._invoke_aws_sdk_integration(resource, arguments)

    async def _handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | str, _query: object
    ) -> Response:
        action = headers.get("x-amz-target", "").removeprefix(f"{_TARGET}.")
        content = body.encode() if isinstance(body, str) else body
        request = json.loads(content or b"{}")
        if not self._allowed(headers, action, request):
            return _refused(action)
        if action == "DescribeTrainingJob" and (job := self._jobs.describe(request["TrainingJobName"])):
            return _answer(_described(job))
        if action == "CreateModelPackage" and (token := request.get("ClientToken")):
            return self._once(token, method, path, headers, content)
        return _moto(method, path, headers, content)

    def _allowed(self, headers: Mapping[str, str], action: str, request: Mapping[str, Any]) -> bool:
        """MiniStack judges its own services only, and this is none of them. The root user may do all."""
        from ministack.core.router import extract_access_key_id  # noqa: PLC0415

        permissions = self._runtime.permissions
        role = permissions.role_of(extract_access_key_id(dict(headers)))
        if role is None:
            return True
        try:
            asked = needs.of_registry(action, request, permissions.account)
        except LookupError:
            return not permissions.refuse_unjudged(role, f"{_SERVICE}:{action}")
        return not permissions.note(role, [asked])

    def _once(
        self, token: str, method: str, path: str, headers: Mapping[str, str], content: bytes
    ) -> Response:
        """The first answer again for a ClientToken seen before; moto does not look at it."""
        if token not in self._packages:
            response = _moto(method, path, headers, content)
            if response[0] >= 400:
                return response
            self._packages[token] = response
        return self._packages[token]


def call(action: str, **arguments: Any) -> dict[str, Any]:
    """Asks moto for an action of SageMaker.

    Raises:
        ValueError: with moto's message, when it refuses.
    """
    headers = {"X-Amz-Target": f"{_TARGET}.{action}"}
    status, _headers, body = _moto("POST", "/", headers, json.dumps(arguments).encode())
    content: dict[str, Any] = json.loads(body or b"{}")
    if status >= 400:
        raise ValueError(content.get("message") or content.get("Message") or str(content))
    return content


def forget_group(name: str) -> None:
    """Deletes a model package group; moto has no such action."""
    from ministack.core.responses import get_account_id, get_region  # noqa: PLC0415
    from moto.sagemaker.models import sagemaker_backends  # noqa: PLC0415

    sagemaker_backends[get_account_id()][get_region()].model_package_groups.pop(name, None)


def _moto(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
    from ministack.core.responses import get_region  # noqa: PLC0415
    from moto.core.request import Request  # noqa: PLC0415
    from moto.sagemaker.responses import SageMakerResponse  # noqa: PLC0415

    sent = {name: value for name, value in headers.items() if name.lower() != "host"}
    sent.setdefault("Content-Type", "application/x-amz-json-1.1")
    # moto reads the region off the host.
    url = f"https://api.sagemaker.{get_region()}.amazonaws.com{path}"
    request = Request.from_primitives(method, url, sent, body)
    status, answered, content = SageMakerResponse.dispatch(request, url, request.headers)
    return status, dict(answered), content.encode() if isinstance(content, str) else content


def _answer(content: Mapping[str, Any]) -> Response:
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(content).encode()


def _refused(action: str) -> Response:
    told = {"__type": "AccessDeniedException", "Message": f"not authorized to perform: sagemaker:{action}"}
    return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(told).encode()


def _described(job: Mapping[str, Any]) -> dict[str, Any]:
    """A job as the API shows it: times in epoch seconds."""
    return {
        name: value / 1000 if name.endswith("Time") and isinstance(value, int) else value
        for name, value in job.items()
    }
