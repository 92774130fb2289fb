"""Who may do what: each call of a role is held against its policies and the resource's own, and written down.

MiniStack judges what comes with a role's credentials, by its own evaluator of IAM policies; the same one
judges here what AWS would do for us (``needs``). What neither knows to judge is refused to every role: only
the root user may do it. Two files below logs/ tell of it: permissions.jsonl has a line for each distinct
call, roles.jsonl one for each role with the policies it was judged by.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any, Final

from build.rehearsal.emulator import credentials
from build.rehearsal.emulator.credentials import Credentials
from build.rehearsal.emulator.integrations import StepError
from build.rehearsal.emulator.needs import Account, Request
from build.rehearsal.emulator.settings import Settings

CALLS: Final = "permissions.jsonl"
ROLES: Final = "roles.jsonl"

ALLOWED: Final = "Allow"
UNJUDGED: Final = "Unjudged"
"""The decision on a call of which nobody has written down what it needs of IAM."""

_JUDGES_ITSELF: Final = "sagemaker"
"""The service that is none of MiniStack's, see ``model_registry``."""

_NAMES_ITS_SOURCE: Final = frozenset(
    {"cloudformation", "codebuild", "ecs-tasks", "events", "sagemaker", "scheduler", "states"}
)
"""Services that say for whom they take a role (aws:SourceAccount)."""


class Permissions:
    """The judge of a rehearsal; one that is not asked to enforce lets everything pass and writes nothing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._told: set[str] = set()
        self._lock = Lock()

    @property
    def account(self) -> Account:
        """Where things lie, and what is known of them."""
        return Account(self._settings.region, self._settings.account, _task_roles)

    def install(self) -> None:
        """Wraps the functions by which MiniStack judges requests, or lets them pass; once per process."""
        from ministack import app  # noqa: PLC0415
        from ministack.core import iam_evaluator  # noqa: PLC0415

        iam_evaluator.enforce = self._enforcing(iam_evaluator)
        app._authenticate_only = self._authenticating(app._authenticate_only)

    def _enforcing(self, iam_evaluator: Any) -> Any:
        enforce = iam_evaluator.enforce

        def enforcing(key: str, action: str, service: str, region: str, **more: Any) -> Any:
            denied = enforce(key, action, service, region, **more)
            role = self.role_of(key)
            if role is None or isinstance(denied, iam_evaluator.AuthError):
                return denied
            request = Request(action, more.get("resource_arn", "*"), more.get("service_context") or {})
            self._write(role, request, denied)
            return denied or self._missing(role, request)

        return enforcing

    def _authenticating(self, authenticate: Any) -> Any:
        """MiniStack lets pass, once it knows the key, what it has no IAM action for."""

        def authenticating(service: str, headers: Any, query: Any, request_id: str) -> Any:
            from ministack.core.iam_actions import access_denied_response  # noqa: PLC0415
            from ministack.core.router import extract_access_key_id  # noqa: PLC0415

            failure = authenticate(service, headers, query, request_id)
            if failure or not self._settings.authorize:
                return failure
            action = f"{service}:{headers.get('x-amz-target', '').rpartition('.')[2] or 'unknown'}"
            key = extract_access_key_id(headers, query)
            role = self.role_of(key)
            if key and (role is None or service == _JUDGES_ITSELF):
                return None
            if role:
                self.refuse_unjudged(role, action)
            return access_denied_response(service, action, role or "nobody", request_id, headers=headers)

        return authenticating

    def role_of(self, key: str) -> str | None:
        """The name of the role behind an access key; None for the root user and for keys that are none."""
        from ministack.core import iam_evaluator as iam  # noqa: PLC0415
        from ministack.core.responses import get_account_id  # noqa: PLC0415

        principal = iam.resolve_principal(key or "", get_account_id())
        if isinstance(principal, iam.AuthError) or principal.type != "AssumedRole":
            return None
        return str(iam._role_name_from_assumed_arn(principal.arn))

    def require(self, role: str, requests: Iterable[Request]) -> None:
        """Holds what is asked for against a role, given its ARN.

        Raises:
            StepError: States.Permissions, when something is not allowed.
        """
        if refused := self.note(role, requests):
            raise StepError("States.Permissions", f"{_name(role)} may not {refused[0].action}")

    def note(self, role: str, requests: Iterable[Request]) -> list[Request]:
        """The same for what fails nothing at once, such as writing a log; returns what is refused."""
        if not self._settings.authorize:
            return []
        return [request for request in requests if self._denied(role, request)]

    def refuse_unjudged(self, role: str, action: str) -> bool:
        """Writes down that nobody knows to judge a call of a role; tells whether it is refused for that."""
        if self._settings.authorize:
            self._record(_name(role), Request(action), UNJUDGED)
        return self._settings.authorize

    def assume(self, role: str, service: str, session: str) -> Credentials:
        """A session of a role, for a service that the role must trust.

        Raises:
            StepError: States.Permissions, when it does not.
            ValueError: there is no such role.
        """
        self.require_trust(role, service)
        return credentials.assume(role, session)

    def require_trust(self, role: str, service: str) -> None:
        """Holds it against a role's trust policy that a service takes it.

        Raises:
            StepError: States.Permissions, when the role does not trust it or is not there.
        """
        if self._settings.authorize and not self._trusts(role, service):
            raise StepError("States.Permissions", f"{service} may not take the role {_name(role)}")

    def may_deliver(self, service: str, source: str, queue: str) -> bool:
        """Whether a queue's own policy lets a service put there what it could not deliver for a source."""
        from ministack.core import iam_evaluator as iam  # noqa: PLC0415

        if not self._settings.authorize:
            return True
        request = Request("sqs:SendMessage", queue, {"aws:SourceArn": source})
        policy, _owner = iam._resource_policy("sqs", queue) or (None, None)
        context = self._context(iam, f"arn:aws:iam::{self._settings.account}:root", request)
        # Without its own name no service is let through by a statement for accounts.
        context.principal_arn = context.principal_account = ""
        result = iam.evaluate_resource_policy(policy, context, service=_principal(service))
        return self._write(_principal(service), request, None if result.decision == ALLOWED else result)

    def describe_roles(self) -> None:
        """Writes down the policies of all roles there are now."""
        from ministack.services import iam  # noqa: PLC0415

        if self._settings.authorize:
            for name, role in list(iam._roles.items()):
                documents = [_document(each) for each in role["InlinePolicies"].values()]
                trust = _document(role["AssumeRolePolicyDocument"])
                self._tell(ROLES, {"role": name, "policies": documents, "trust": trust})

    def _denied(self, role: str, request: Request) -> bool:
        result = self._judge(role, request)
        if not self._write(_name(role), request, None if result.decision == ALLOWED else result):
            return True
        return self._missing(_name(role), request) is not None

    def _judge(self, role: str, request: Request) -> Any:
        from ministack.core import iam_evaluator as iam  # noqa: PLC0415
        from ministack.services.iam import _roles  # noqa: PLC0415

        account = self._settings.account
        policies = iam._gather_role_policies(_name(role), account)
        limits = iam._permissions_boundary(_roles, _name(role), account)
        context = self._context(iam, role, request)
        result = iam.evaluate(context, policies, *limits)
        service = request.action.partition(":")[0]
        if found := iam._resource_policy(service, request.resource):
            required = service in iam._POLICY_REQUIRED
            result = iam.combine_resource_policy(
                result, context, *found, required=required, limits=tuple(limits)
            )
        return result

    def _context(self, iam: Any, principal: str, request: Request) -> Any:
        return iam.EvalContext(
            principal_arn=principal,
            principal_type="AssumedRole",
            principal_account=self._settings.account,
            action=request.action,
            resource_arn=request.resource,
            region=self._settings.region,
            secure_transport=True,
            service_context={name.lower(): value for name, value in request.context.items()},
        )

    def _missing(self, role: str, request: Request) -> Any:
        """The refusal of who asks for an object that is not there and may not list its key.

        S3 tells nobody what is missing who may not list it: the key stands for the prefix then.
        """
        if request.action != "s3:GetObject" or _is_there(request.resource):
            return None
        bucket, _, key = request.resource.partition("/")
        asked = Request("s3:ListBucket", bucket, {"s3:prefix": key})
        result = self._judge(f"arn:aws:iam::{self._settings.account}:role/{role}", asked)
        return None if self._write(role, asked, None if result.decision == ALLOWED else result) else result

    def _trusts(self, role: str, service: str) -> bool:
        from ministack.core import iam_evaluator as iam  # noqa: PLC0415
        from ministack.services.iam import _roles  # noqa: PLC0415

        account = self._settings.account
        source = {"aws:SourceAccount": account} if service in _NAMES_ITS_SOURCE else {}
        request = Request("sts:AssumeRole", role, source)
        known = _roles.get_scoped(account, None, _name(role)) or {}
        named = [
            statement
            for statement in _document(known.get("AssumeRolePolicyDocument", "{}")).get("Statement", ())
            if iam._service_principal_matches(statement.get("Principal"), _principal(service))
        ]
        policy = iam.parse_policy_document({"Statement": named})
        result = iam.evaluate(self._context(iam, role, request), [policy])
        return self._write(_principal(service), request, None if result.decision == ALLOWED else result)

    def _write(self, who: str, request: Request, denied: Any) -> bool:
        """Writes a judgement down, and tells whether it allows."""
        self._record(
            who,
            request,
            denied.decision if denied else ALLOWED,
            statement=denied.matched_sid if denied else "",
        )
        return denied is None

    def _record(self, who: str, request: Request, decision: str, *, statement: str = "") -> None:
        self._tell(
            CALLS,
            {
                "who": who,
                "action": request.action,
                "resource": request.resource,
                "context": {name: value for name, value in request.context.items() if value is not None},
                "decision": decision,
                "statement": statement,
            },
        )

    def _tell(self, file: str, record: Mapping[str, Any]) -> None:
        line = json.dumps(record, sort_keys=True, default=str)
        with self._lock:
            if line in self._told:
                return
            self._told.add(line)
            with (self._settings.logs / file).open("a", encoding="utf-8") as log:
                log.write(f"{line}\n")


def _task_roles(definition: str) -> list[str]:
    from ministack.services import ecs  # noqa: PLC0415

    known = ecs._task_defs.get(definition.rpartition("/")[2]) or {}
    return [known[name] for name in ("taskRoleArn", "executionRoleArn") if known.get(name)]


def _is_there(resource: str) -> bool:
    from ministack.services import s3  # noqa: PLC0415

    bucket, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
    return key in (s3._buckets.get(bucket) or {}).get("objects", {})


def _document(text: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text) if isinstance(text, str) else text
    return document


def _name(role: str) -> str:
    return role.rpartition("/")[2]


def _principal(service: str) -> str:
    return f"{service}.amazonaws.com"
