"""Judges a rehearsal's calls again, each role without one of its statements: run by the emulator's Python.

Arguments: the rehearsal's logs. Writes one JSON object: role -> for each of its statements in order, the
actions it allows, on which resources, and how many calls that were allowed would be refused without it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator as iam

ACCOUNT, REGION = "000000000000", "us-east-1"


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def allowed(call: dict[str, Any], statements: list[dict[str, Any]]) -> bool:
    context = iam.EvalContext(
        principal_arn=f"arn:aws:iam::{ACCOUNT}:role/{call['who']}",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=call["action"],
        resource_arn=call["resource"],
        region=REGION,
        secure_transport=True,
        service_context={name.lower(): value for name, value in call["context"].items()},
    )
    policy = iam.parse_policy_document({"Statement": statements})
    return bool(iam.evaluate(context, [policy]).decision == "Allow")


def replay(statements: list[dict[str, Any]], calls: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for index, statement in enumerate(statements):
        poorer = statements[:index] + statements[index + 1 :]
        refused = sum(not allowed(call, poorer) for call in calls if allowed(call, statements))
        resources = statement["Resource"]
        yield {
            "actions": statement["Action"],
            "resources": [resources] if isinstance(resources, str) else resources,
            "refused": refused,
        }


if __name__ == "__main__":
    logs = Path(sys.argv[1])
    made = [call for call in lines(logs / "permissions.jsonl") if call["decision"] == "Allow"]
    told = {}
    for role in lines(logs / "roles.jsonl"):
        held = [statement for policy in role["policies"] for statement in policy["Statement"]]
        own = [call for call in made if call["who"] == role["role"]]
        told[role["role"]] = list(replay(held, own))
    print(json.dumps(told))
