"""Every call of a boto3 client in our code, held against botocore's model: names, what is required, literals.

Only the calls are read, nothing is run: a call on a way that no test takes is looked at too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

ROOT: Final = Path(__file__).parents[2]
PLACES: Final = ("steps", "build/aws", "validator/store")
"""Where clients are; test_architecture.py proves that boto3 is met nowhere else, but for the emulator."""

CLIENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "build/aws/batch.py": ("batch",),
    "build/aws/cloudformation.py": ("cloudformation",),
    "build/aws/ec2.py": ("ec2",),
    "build/aws/ecr.py": ("ecr",),
    "build/aws/messaging.py": ("events", "sns", "sqs"),
    "build/aws/s3.py": ("s3",),
    "build/aws/stepfunctions.py": ("stepfunctions",),
    "steps/init/bucket.py": ("s3",),
    "validator/store/buckets.py": ("s3",),
}
"""File -> the services of its ``client`` or ``_client``."""

NAMED: Final[Mapping[str, tuple[str, ...]]] = {
    "s3": ("s3",),
    "sagemaker": ("sagemaker",),
    "states": ("stepfunctions",),
    "stepfunctions": ("stepfunctions",),
}
"""A client's name -> its service, wherever it is called so."""

OF_BOTO3: Final = {"get_paginator", "get_waiter", "download_file", "upload_file", "close"}
"""Methods of a client that are no operations."""

CALL: Final = re.compile(rf"\b(?:_?client|{'|'.join(NAMED)})\.(?=[a-z_0-9]+\()")
"""What stands before a method of a client."""

CALLERS: Final = {
    *CLIENTS,
    "steps/evaluate/incumbent.py",
    "steps/evaluate/main.py",
    "steps/evaluate/unchanged.py",
    "steps/init/champion.py",
    "steps/init/execution.py",
    "steps/init/main.py",
}
"""Files in which clients are called, by whatever name."""


@cache
def operations(service: str) -> Mapping[str, Any]:
    """Return a service's operations by the names of a client's methods."""
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}


def mistakes(path: str, source: str) -> Iterator[str]:
    """Yield what is wrong with the calls of a file, one line each."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        method, receiver = node.func.attr, node.func.value
        if method == "paginate":
            yield from _paginated(path, node, receiver)
            continue
        services = _services(path, receiver)
        if services and method not in OF_BOTO3:
            if (operation := _operation(services, method)) is not None:
                yield from (f"{path}:{node.lineno}: {method}{told}" for told in _arguments(node, operation))
            else:
                yield f"{path}:{node.lineno}: {' or '.join(services)} has no {method}"


def _paginated(path: str, node: ast.Call, receiver: ast.expr) -> Iterator[str]:
    if not (isinstance(receiver, ast.Call) and isinstance(receiver.func, ast.Attribute) and receiver.args):
        return
    (name,) = (ast.literal_eval(each) for each in receiver.args if isinstance(each, ast.Constant))
    services = _services(path, receiver.func.value)
    operation = _operation(services, name)
    if operation is None:
        yield f"{path}:{node.lineno}: {' or '.join(services) or 'nobody'} has no {name}"
    else:
        yield from (
            f"{path}:{node.lineno}: {name}{told}"
            for told in _arguments(node, operation, {"PaginationConfig"})
        )


def _services(path: str, receiver: ast.expr) -> tuple[str, ...]:
    name = _last_name(receiver)
    return CLIENTS.get(path, ()) if name in ("client", "_client") else NAMED.get(name, ())


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _operation(services: tuple[str, ...], method: str) -> Any:
    return next((operations(each)[method] for each in services if method in operations(each)), None)


def _arguments(
    node: ast.Call, operation: Any, more: frozenset[str] | set[str] = frozenset()
) -> Iterator[str]:
    shape = operation.input_shape
    members = shape.members if shape else {}
    given = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    if node.args:
        yield " is given arguments without names"
    yield from (f".{name} is not known" for name in given if name not in members and name not in more)
    # What comes by ** is not read here.
    if all(keyword.arg for keyword in node.keywords):
        required = set(shape.required_members) if shape else set()
        yield from (f".{name} is missing" for name in sorted(required - given.keys()))
    for name, value in given.items():
        if name in members:
            yield from _literal(f".{name}", value, members[name])


def _literal(place: str, node: ast.expr, shape: Any) -> Iterator[str]:
    """Yield what is wrong with a value as far as it is written down."""
    match node, shape.type_name:
        case ast.Dict(), "structure":
            for key, value in zip(node.keys, node.values, strict=True):
                name = key.value if isinstance(key, ast.Constant) else None
                if isinstance(name, str) and name not in shape.members:
                    yield f"{place}.{name} is not known"
                elif isinstance(name, str):
                    yield from _literal(f"{place}.{name}", value, shape.members[name])
        case ast.List(), "list":
            for item in node.elts:
                yield from _literal(f"{place}[]", item, shape.member)
        case ast.Constant(value=value), "string" if shape.enum and value not in shape.enum:
            yield f"{place} is {value!r}, not one of {', '.join(shape.enum)}"
        case ast.Constant(value=value), "string" if not isinstance(value, str):
            yield f"{place} is {value!r}, not a string"
        case ast.Constant(value=value), "integer" if not isinstance(value, int) or isinstance(value, bool):
            yield f"{place} is {value!r}, not an integer"


def sources() -> Iterator[Path]:
    for place in PLACES:
        yield from sorted((ROOT / place).rglob("*.py"))


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_call_is_as_its_service_has_it(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    assert list(mistakes(name, path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_call_is_really_looked_at(path: Path) -> None:
    """One after the other is spoilt: were it not found, its check would check nothing."""
    name, source = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    calls = list(CALL.finditer(source))
    assert bool(calls) is (name in CALLERS)
    for call in calls:
        spoilt = f"{source[: call.end()]}x_{source[call.end() :]}"
        assert any("has no x_" in told for told in mistakes(name, spoilt)), source[call.start() :][:60]


@pytest.mark.parametrize("path", list(sources()), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_operation_is_called_on_what_is_not_known_as_a_client(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    services = {each for known in (*CLIENTS.values(), *NAMED.values()) for each in known}
    # One word may be anybody's method: re.search.
    methods = {method for each in services for method in operations(each) if "_" in method}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods:
            assert _services(name, node.func.value), ast.unparse(node.func)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("s3.get_object(Bucket=b, Key=k)", []),
        ("s3.get_object(Bucket=b)", ["get_object.Key is missing"]),
        ("s3.get_object(**request)", []),
        ("s3.get_object(bucket=b, **request)", ["get_object.bucket is not known"]),
        ("s3.put_object(Bucket=b, Key=k, IfNoneMatched='*')", ["put_object.IfNoneMatched is not known"]),
        ("s3.put_object(Bucket=b, Key=k, ACL='open')", ["put_object.ACL is 'open', not one of private"]),
        (
            "self.clients.sagemaker.describe_model_package(ModelPackage=a)",
            ["describe_model_package.ModelPackage"],
        ),
        ("sagemaker.describe_models(Name=a)", ["sagemaker has no describe_models"]),
        ("s3.get_paginator('list_objects_v2').paginate(Bucket=b, Prefix=p)", []),
        ("s3.get_paginator('list_objects_v2').paginate(Prefix=p)", ["list_objects_v2.Bucket is missing"]),
        ("s3.get_paginator('list_object').paginate(Bucket=b)", ["s3 has no list_object"]),
        (
            "states.start_execution('arn')",
            ["start_execution is given arguments without names", "start_execution.s"],
        ),
        ("sagemaker.list_model_packages(MaxResults='9')", ["list_model_packages.MaxResults is '9', not an"]),
        (
            "s3.delete_objects(Bucket=b, Delete={'Objects': [{'Kee': k}], 'Quiet': True})",
            ["delete_objects.Delete.Objects[].Kee is not known"],
        ),
        ("s3.head_objekt(Bucket=b, Key=k)", ["s3 has no head_objekt"]),
        ("states.describe_executions(executionArn=a)", ["stepfunctions has no describe_executions"]),
        ("s3.x_get_paginator('list_objects_v2').paginate(Bucket=b)", ["s3 has no x_get_paginator"]),
        ("self.store.take(shard)", []),
    ],
)
def test_a_planted_mistake_is_found(source: str, told: list[str]) -> None:
    found = [mistake.removeprefix("x.py:1: ") for mistake in mistakes("x.py", source)]
    assert len(found) >= len(told)
    assert bool(found) is bool(told)
    assert all(any(mistake.startswith(start) for mistake in found) for start in told), found
