"""A release: what CodeBuild does as a build's role, and what CloudFormation asks of who hands it a template.

MiniStack starts no build as its role, hands a role over without asking, and looks for a change set's stack
where the request names none. What CloudFormation then makes it makes as the root user.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from build.rehearsal.emulator import needs
from build.rehearsal.emulator.integrations import StepError
from build.rehearsal.emulator.permissions import Permissions


def install(permissions: Permissions) -> None:
    """Wraps MiniStack's functions; once per process."""
    from ministack.core import iam_actions  # noqa: PLC0415
    from ministack.services import cloudformation, codebuild  # noqa: PLC0415

    codebuild._start_build = _as_role(codebuild, permissions)
    iam_actions.extract_resource_arn = _with_stack(cloudformation, iam_actions.extract_resource_arn)
    handlers = cloudformation._ACTION_HANDLERS
    handlers["CreateChangeSet"] = _handed_over(permissions, handlers["CreateChangeSet"])


def _as_role(codebuild: Any, permissions: Permissions) -> Any:
    from ministack.core.responses import error_response_json  # noqa: PLC0415

    start = codebuild._start_build

    def start_build(data: dict[str, Any]) -> Any:
        project = codebuild._projects.get(data.get("projectName"))
        if project:
            role = project["serviceRole"]
            try:
                permissions.require_trust(role, "codebuild")
            except StepError as error:
                return error_response_json("InvalidInputException", error.cause, 400)
            permissions.note(role, needs.of_build(project, permissions.account))
        return start(data)

    return start_build


def _with_stack(cloudformation: Any, extract: Any) -> Any:
    """A change set is named by its own ARN, and what is done with it is authorised on its stack."""

    def extract_resource_arn(service: str, *request: Any) -> Any:
        resource = extract(service, *request)
        if service == "cloudformation" and resource == "*":
            # Method, path, headers, body, then what was asked, as the router has put it together.
            change_set = cloudformation._change_sets.get(first(request[4]).get("ChangeSetName"))
            return change_set["StackId"] if change_set else resource
        return resource

    return extract_resource_arn


def _handed_over(permissions: Permissions, create: Any) -> Any:
    def create_change_set(parameters: Mapping[str, Any]) -> Any:
        from ministack.core import iam_evaluator  # noqa: PLC0415
        from ministack.services.cloudformation.helpers import _error  # noqa: PLC0415

        asked, caller = first(parameters), iam_evaluator.caller_arn()
        if ":assumed-role/" in caller:
            try:
                permissions.require(
                    iam_evaluator._role_name_from_assumed_arn(caller), needs.of_change_set(asked)
                )
                if "RoleARN" in asked:
                    permissions.require_trust(asked["RoleARN"], "cloudformation")
            except StepError as error:
                return _error("AccessDenied", error.cause, 403)
        return create(parameters)

    return create_change_set


def first(parameters: Mapping[str, Any]) -> dict[str, str]:
    """A request's parameters, each with the first of its values."""
    return {
        name: str(value[0] if isinstance(value, list) and value else value)
        for name, value in parameters.items()
    }
