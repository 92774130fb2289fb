"""What the roles were allowed and refused, as the emulator wrote it down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from build.rehearsal.emulator.permissions import ALLOWED, CALLS, ROLES, UNJUDGED
from build.rehearsal.permissions import Permissions

STACK = "sluice-dev-pipeline"
ROLE = f"{STACK}-InitRole-1A2B3C"


def call(action: str, decision: str = ALLOWED, **more: Any) -> dict[str, Any]:
    known = {"who": ROLE, "resource": "arn:aws:s3:::b/k", "context": {}, "statement": ""}
    return {**known, "action": action, "decision": decision, **more}


def read(logs: Path, *calls: dict[str, Any]) -> Permissions:
    statement = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}
    alone = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    closed = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
    role = {"role": ROLE, "policies": [{"Statement": [statement, alone, closed]}], "trust": {}}
    other = {**role, "role": "sluice-dev-delivery-CheckRole-1"}
    (logs / ROLES).write_text("".join(f"{json.dumps(each)}\n" for each in (role, other)))
    (logs / CALLS).write_text("".join(f"{json.dumps(each)}\n" for each in calls))
    return Permissions.read(logs, STACK)


def test_what_was_used_and_what_was_not(tmp_path: Path) -> None:
    found = read(tmp_path, call("s3:GetObject"), call("s3:GetObject", resource="arn:aws:s3:::b/l"))
    assert found.used == {"InitRole": ("s3:GetObject",)}
    assert found.unused == {"InitRole": ("s3:ListBucket", "s3:PutObject")}
    assert found.refused == ()
    assert found.told == "1 roles used 1 of 3 actions; summary.json lists the others"


def test_a_refused_call_is_one_line_with_all_that_is_known(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        call("s3:PutObject", "ImplicitDeny", context={"s3:prefix": "a"}),
        call("s3:PutObject", "Deny", statement="OnlyTls"),
        call("sagemaker:ListTags", UNJUDGED, resource="*"),
        call("sqs:SendMessage", "ImplicitDeny", who="events.amazonaws.com", resource="arn:aws:sqs:::q"),
    )
    assert found.refused == (
        'InitRole may not s3:PutObject on arn:aws:s3:::b/k under {"s3:prefix": "a"}: no statement allows it',
        "InitRole may not s3:PutObject on arn:aws:s3:::b/k: statement OnlyTls denies it",
        "InitRole may not sagemaker:ListTags on *: emulator/needs.py does not say what it needs of IAM",
        "events.amazonaws.com may not sqs:SendMessage on arn:aws:sqs:::q: no statement allows it",
    )
    assert found.used == {"InitRole": ()}


def test_a_rehearsal_that_never_began_has_nothing_to_tell(tmp_path: Path) -> None:
    assert Permissions.read(tmp_path, STACK).to_json() == {"refused": (), "used": {}, "unused": {}}
