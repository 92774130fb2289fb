"""Lambda: errors under the name of the exception's class, logs in files, and the crash a rehearsal asks for.

MiniStack's warm worker reports every exception of Python code as Runtime.HandlerError, while Retry and Catch
are written against class names. No registry reaches the worker: its one entry is wrapped.
"""

from __future__ import annotations

from typing import Any

from build.rehearsal.emulator import integrations, needs
from build.rehearsal.emulator.faults import Kind
from build.rehearsal.emulator.integrations import StepError
from build.rehearsal.emulator.runtime import Runtime


def install(runtime: Runtime) -> None:
    """Wraps MiniStack's warm worker; once per process."""
    from ministack.services import lambda_svc  # noqa: PLC0415

    execute = lambda_svc._execute_function_warm

    def execute_warm(function: dict[str, Any], event: Any, request_id: str) -> Any:
        if _crashes(runtime):
            return crash(request_id)
        if refused := _take_role(runtime, function.get("config") or function):
            return refused
        result = execute(function, event, request_id)
        _log(runtime, function, result)
        return with_class_name(result)

    lambda_svc._execute_function_warm = execute_warm


def _take_role(runtime: Runtime, configuration: dict[str, Any]) -> dict[str, Any] | None:
    """What Lambda does as the function's role before its code runs; the error when it cannot."""
    permissions, role = runtime.permissions, configuration["Role"]
    try:
        permissions.require_trust(role, "lambda")
    except StepError as error:
        body = {"errorMessage": error.cause, "errorType": "Lambda.AWSLambdaException"}
        return {"body": body, "error": True, "log": error.cause}
    permissions.note(role, needs.of_function(configuration, permissions.account))
    return None


def _crashes(runtime: Runtime) -> bool:
    step = integrations.current("").step
    return runtime.faults.take(step, lambda fault: fault.kind is Kind.CRASH) is not None


def crash(request_id: str) -> dict[str, Any]:
    """What Lambda reports when a function's process dies."""
    message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
    return {
        "body": {"errorMessage": message, "errorType": "Runtime.ExitError"},
        "error": True,
        "log": message,
    }


def _log(runtime: Runtime, function: dict[str, Any], result: dict[str, Any]) -> None:
    name = (function.get("config") or function).get("FunctionName", "function")
    with (runtime.settings.logs / f"{name}.log").open("a", encoding="utf-8") as log:
        log.write(f"{result.get('log', '').rstrip()}\n")


def with_class_name(result: dict[str, Any]) -> dict[str, Any]:
    """A worker's result whose errorType is the exception's class, read off the end of the traceback."""
    body = result.get("body")
    if not (
        result.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError"
    ):
        return result
    if "died" in body["errorMessage"]:
        return {**result, "body": {**body, "errorType": "Runtime.ExitError"}}
    return {**result, "body": {**body, "errorType": _class_name(result.get("log", ""), body["errorMessage"])}}


def _class_name(traceback: str, message: str) -> str:
    qualified = traceback.rstrip().removesuffix(message.rstrip()).rstrip(": \n").rsplit("\n", 1)[-1]
    return qualified.rsplit(".", 1)[-1] if qualified.replace(".", "").isidentifier() else "Exception"
