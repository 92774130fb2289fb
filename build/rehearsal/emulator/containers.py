"""ECS: ``ecs:runTask`` with the semantics of AWS, and tasks as real processes.

MiniStack keeps the tasks; the engine asks this module to start each container's process. An interruption is
SIGTERM and, after the task definition's stopTimeout, SIGKILL to that process.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from build.rehearsal.emulator import integrations, needs
from build.rehearsal.emulator.engine import Container
from build.rehearsal.emulator.faults import Fault, Kind
from build.rehearsal.emulator.integrations import Attempt, StepError, pascal
from build.rehearsal.emulator.processes import LocalProcess
from build.rehearsal.emulator.proxy import Proxy
from build.rehearsal.emulator.runtime import Runtime

_log = logging.getLogger(__name__)

_OF_CAPACITY: Final = (Kind.INTERRUPT, Kind.NO_CAPACITY)
_OF_TASKS: Final = (
    Kind.BUG,
    Kind.CRASH,
    Kind.MEMORY_LIMIT,
    Kind.SETTING,
    Kind.STOP,
    Kind.STORAGE_ERRORS,
)
_POLL_SECONDS: Final = 0.05
_WATCH_SECONDS: Final = 0.005
"""While an interruption or a stop is due: a small task's next line may follow within milliseconds."""

NO_CAPACITY: Final = (
    "Capacity is unavailable at this time. Please try again later or in a different availability zone"
)
SPOT: Final = "FARGATE_SPOT"
INTERRUPTED: Final = "Your Spot Task was interrupted."
RETIRED: Final = "ECS is performing maintenance on the underlying infrastructure hosting the task."
OUT_OF_MEMORY: Final = "OutOfMemoryError: Container killed due to memory usage"


@dataclass(slots=True)
class _Start:
    """How the task of one attempt starts, and the process that came of it."""

    step: str
    fault: Fault | None = None
    process: LocalProcess | None = None
    interrupted: bool = False
    stopped: bool = False
    grace: float = 30

    def meets(self, kind: Kind) -> Fault | None:
        """The attempt's fault, when it is of this kind."""
        return self.fault if self.fault and self.fault.kind is kind else None

    @property
    def due(self) -> Fault | None:
        """The fault that ends the task from outside as soon as its log says so."""
        return self.meets(Kind.INTERRUPT) or self.meets(Kind.STOP)


class Containers:
    """The tasks that run here."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._starts: dict[str, _Start] = {}
        self._lock = Lock()

    def register(self) -> None:
        """Makes the integration known."""
        integrations.register("ecs:runTask", self.run_task)

    def run_task(self, resource: str, arguments: dict[str, Any]) -> Any:
        """Runs a task and, with ``.sync``, waits for its end.

        Returns:
            The task (PascalCase), or RunTask's answer without ``.sync``.

        Raises:
            StepError: States.TaskFailed when a container ends with another exit code than 0 or never starts;
                ECS.AmazonECSException when the task cannot be placed.
        """
        attempt = integrations.current("Task")
        fault = self._runtime.faults.take(attempt.step, lambda fault: applies(fault, arguments))
        start = _Start(attempt.step, fault)
        if start.meets(Kind.NO_CAPACITY):
            raise StepError("ECS.AmazonECSException", [{"Reason": NO_CAPACITY}])
        answer = self._begin(arguments, start)
        if not integrations.waits(resource):
            return pascal(answer)
        return self._end(answer["tasks"][0]["taskArn"], start, attempt)

    def _begin(self, arguments: dict[str, Any], start: _Start) -> dict[str, Any]:
        from ministack.services import ecs, stepfunctions  # noqa: PLC0415

        request = {**stepfunctions._pascal_to_camel(arguments), "startedBy": "AWS Step Functions"}
        # The engine asks for the process while MiniStack still answers: it must find the start noted.
        with self._lock:
            answer = integrations.answer(ecs._run_task(request), "ECS.AmazonECSException")
            self._starts.update({task["taskArn"]: start for task in answer["tasks"]})
            for task in answer["tasks"]:
                _resize(ecs._tasks[task["taskArn"]], request.get("overrides") or {})
        if answer["failures"]:
            raise StepError("ECS.AmazonECSException", pascal(answer["failures"]))
        return answer

    def _end(self, arn: str, start: _Start, attempt: Attempt) -> Any:
        from ministack.services import ecs  # noqa: PLC0415

        task = ecs._tasks[arn]
        while task["lastStatus"] != "STOPPED":
            self._intervene(arn, start, attempt)
            time.sleep(_WATCH_SECONDS if start.due else _POLL_SECONDS)
        _explain(task, start)
        result = pascal({name: value for name, value in task.items() if not name.startswith("_")})
        if failed(result):
            raise StepError("States.TaskFailed", result)
        return result

    def _intervene(self, arn: str, start: _Start, attempt: Attempt) -> None:
        """Stops the process when nobody waits for it any more, or when its end from outside is due."""
        process = start.process
        if process is None or process.exit_code is not None or start.stopped:
            return
        due = bool(start.due and says(process.log, start.due.after))
        if due and start.meets(Kind.STOP):
            start.stopped = True
            self._runtime.client("ecs").stop_task(
                cluster=_cluster(arn), task=arn, reason="a person stopped it"
            )
            return
        start.interrupted = due
        if start.interrupted or attempt.over():
            process.stop(start.grace)

    def launch(self, container: Container) -> LocalProcess:
        """Starts a container's process; what the engine calls."""
        from ministack.services import ecs  # noqa: PLC0415

        arn = container.labels["com.amazonaws.ecs.task-arn"]
        with self._lock:
            start = self._starts.setdefault(arn, _Start("Task"))
            task = ecs._tasks.get_scoped(*_scope(arn), arn)
            definition = ecs._task_defs.get_scoped(*_scope(arn), task["taskDefinitionArn"].rsplit("/", 1)[-1])
        _complete_metadata(arn, task)
        container.grace = start.grace = _stop_timeout(definition, container)
        environment = self._environment(container, start, definition)
        start.process = self._runtime.start_validator(
            start.step, container.command, environment, int(task["memory"]), start.fault
        )
        return start.process

    def _environment(
        self, container: Container, start: _Start, definition: Mapping[str, Any]
    ) -> dict[str, str]:
        # MiniStack's own are left out: the credentials below are the task role's.
        own = {
            name: value
            for name, value in container.environment.items()
            if not name.startswith("AWS_CONTAINER_")
        }
        permissions = self._runtime.permissions
        role = permissions.assume(definition["taskRoleArn"], "ecs-tasks", f"{start.step}-task")
        if agent := definition.get("executionRoleArn"):
            permissions.require_trust(agent, "ecs-tasks")
            permissions.note(agent, needs.of_agent(definition, permissions.account))
        scratch = self._runtime.scratch(start.step)
        environment = {**own, **self._runtime.environment(role, scratch)}
        if fault := start.meets(Kind.STORAGE_ERRORS):
            log = self._runtime.settings.logs / "proxy.log"
            environment["AWS_ENDPOINT_URL_S3"] = Proxy(self._runtime.endpoint, fault.count, log).serve()
        if fault := start.meets(Kind.SETTING):
            environment[fault.variable] = fault.value
        if fault := start.meets(Kind.BUG):
            environment["PYTHONPATH"] = str(plant_bug(fault.module, scratch))
        return environment


def applies(fault: Fault, arguments: Mapping[str, Any]) -> bool:
    """Whether a fault can meet a task that is asked for so: some concern one capacity only."""
    if fault.kind in _OF_CAPACITY:
        strategy = arguments.get("CapacityProviderStrategy") or []
        return any(item.get("CapacityProvider") == fault.capacity for item in strategy)
    return fault.kind in _OF_TASKS


_BUG: Final = """
import sys

class Bug:
    @staticmethod
    def find_spec(name, *_):
        if name == {module!r}:
            raise RuntimeError("a bug was planted in " + name)

sys.meta_path.insert(0, Bug)
"""


def plant_bug(module: str, folder: Path) -> Path:
    """Writes what makes a Python process that starts with this folder on its path fail to import a module."""
    (folder / "sitecustomize.py").write_text(_BUG.format(module=module), encoding="utf-8")
    return folder


def says(log: Path, text: str) -> bool:
    """Whether a log has this text in it."""
    return text.encode() in log.read_bytes()


def _cluster(arn: str) -> str:
    return arn.rsplit("/", 2)[1]


def _scope(arn: str) -> tuple[str, str]:
    _, _, _, region, account, _ = arn.split(":", 5)
    return account, region


def _resize(task: dict[str, Any], overrides: Mapping[str, Any]) -> None:
    """MiniStack runs a task at its definition's size, whatever size was asked for."""
    task.update({name: overrides[name] for name in ("cpu", "memory") if overrides.get(name)})


def _stop_timeout(definition: Mapping[str, Any], container: Container) -> float:
    name = container.labels["com.amazonaws.ecs.container-name"]
    own = next(item for item in definition["containerDefinitions"] if item["name"] == name)
    return float(own.get("stopTimeout") or 30)


def _complete_metadata(arn: str, task: Mapping[str, Any]) -> None:
    """Gives the metadata endpoint what MiniStack leaves out: size, start of the pull, image digest."""
    from ministack.services import ecs_metadata  # noqa: PLC0415

    with ecs_metadata._LOCK:
        known = ecs_metadata._TASKS[arn]
        known["Limits"] = {"CPU": int(task["cpu"]) / 1024, "Memory": int(task["memory"])}
        known["PullStartedAt"] = task["pullStartedAt"]
        for container in known["Containers"]:
            container["ImageID"] = container["Image"].partition("@")[2]


def _explain(task: dict[str, Any], start: _Start) -> None:
    """Writes down why the task stopped, in the words of ECS."""
    if start.due and not (start.interrupted or start.stopped):
        _log.warning("%s ended before its end was due: it never said %r", start.step, start.fault)
    if start.interrupted:
        task.update(_taken_away(start))
    elif task["stopCode"] == "EssentialContainerExited":
        task["stoppedReason"] = "Essential container in task exited"
    if start.process:
        # MiniStack writes 0 when the task was stopped by StopTask.
        start.process.wait()
        task["containers"][0]["exitCode"] = start.process.exit_code
        if start.process.out_of_memory:
            task["containers"][0]["reason"] = OUT_OF_MEMORY


def _taken_away(start: _Start) -> dict[str, str]:
    """Spot is interrupted; on-demand tasks are retired when their host needs maintenance."""
    if start.due and start.due.capacity == SPOT:
        return {"stopCode": "SpotInterruption", "stoppedReason": INTERRUPTED}
    return {"stopCode": "TerminationNotice", "stoppedReason": RETIRED}


def failed(task: Mapping[str, Any]) -> bool:
    """Whether Step Functions takes a stopped task (PascalCase) for a failure.

    The exit codes alone decide, also after an interruption: a container that ends with 0 on SIGTERM is a
    success. One that never started has no exit code.
    """
    return any(container.get("ExitCode") != 0 for container in task["Containers"])
