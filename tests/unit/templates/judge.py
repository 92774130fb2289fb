"""Judges requests by resource policies: run by the emulator's Python, whose IAM evaluator decides.

Reads a JSON object a line, {"policy", "who", "action", "resource", "tls", "context"}; writes Allow, Deny or
ImplicitDeny for each. Who is a role's ARN, or a service such as events.amazonaws.com.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ministack.core import iam_evaluator as iam


def judged(asked: dict[str, Any]) -> str:
    service = asked["who"] if asked["who"].endswith(".amazonaws.com") else None
    context = iam.EvalContext(
        principal_arn="" if service else asked["who"],
        principal_type="AssumedRole",
        principal_account="",
        action=asked["action"],
        resource_arn=asked["resource"],
        region="us-east-1",
        secure_transport=asked["tls"],
        service_context={name.lower(): value for name, value in asked["context"].items()},
    )
    return str(iam.evaluate_resource_policy(asked["policy"], context, service=service).decision)


if __name__ == "__main__":
    for line in sys.stdin:
        print(judged(json.loads(line)))
