"""What people are told, by SNS: what happened, to which data, why, and where to read on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from awacs import sns
from troposphere import Ref
from troposphere.sns import Topic

from templates import access
from templates.asl import Call, Name, State, attempt, fail, jsonata
from templates.classify import EXIT_CODE
from templates.config import ModelApproval
from validator.contract import Artifact

RETRIED: Final = ("SNS.InternalErrorException", "SNS.ThrottledException", "SNS.SdkClientException")

DAY: Final = "$run.dataset & ' of ' & $run.run_date"
REPORT: Final = f"$run.output_uri & '/{Artifact.REPORT}'"
COUNTS: Final = (
    "$gate.counts.error & ($gate.counts.error = 1 ? ' error, ' : ' errors, ') "
    "& $gate.counts.warning & ($gate.counts.warning = 1 ? ' warning' : ' warnings')"
)

CONSOLES: Final = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""Partition -> where its console is; a region's own begins with the region."""

SITE: Final = (
    "$arn := $split($states.context.Execution.Id, ':'); "
    f"$console := 'https://' & $arn[3] & '.' & $lookup({json.dumps(CONSOLES)}, $arn[1]); "
)
"""Binds ``arn`` and ``console``: an execution's ARN says which partition and region this is."""

EXECUTION_LINK: Final = (
    "$console & '/states/home?region=' & $arn[3] & '#/v2/executions/details/' & $states.context.Execution.Id"
)
REPORT_LINK: Final = (
    "$console & '/s3/object/' & $substringBefore($substringAfter($run.output_uri, 's3://'), '/') "
    "& '?region=' & $arn[3] & '&prefix=' & $substringAfter($substringAfter($run.output_uri, 's3://'), '/') "
    f"& '/{Artifact.REPORT}'"
)

# & makes text of whatever a finding holds, also of nothing: no notice fails for its wording.
FINDING: Final = "(code & ' ' & feature & ': ' & message)"
FINDINGS: Final = f"$join([$gate.findings.('- ' & {FINDING})], '\\n')"
FIRST_FINDINGS: Final = f"$join([$gate.findings[[0..2]].{FINDING}], '; ')"

REASON: Final = (
    r"""($told := $match($failure.cause, /"(StoppedReason|errorMessage|ErrorMessage|FailureReason)"\s*:\s*"""
    r""""((?:\\.|[^"])*)"/)[0].groups[1]; """
    f"$code := {EXIT_CODE}; "
    # It stands in JSON: its quotes and line ends are escaped.
    r"""($exists($told) ? $substring($replace($replace($told, '\\n', ' '), '\\"', '"'), 0, 1000)"""
    " : $substring($failure.cause, 0, 1000))"
    " & ($exists($code) ? ' (exit code ' & $code & ')' : ''))"
)
"""Why a state failed: what a task, function, Glue or training job says of it, else the cause's beginning."""

KINDS: Final = {
    "none": "first model",
    "scored": "better model",
    "unusable": "new model, not compared",
}
"""Evaluate's word for what became of the champion -> what the new model is."""

DECISION: Final = (
    "'It is champion once somebody approves it: aws sagemaker update-model-package --model-package-arn ' "
    "& $model_package_arn & ' --model-approval-status Approved (or Rejected)'"
)

SUBJECT_LIMIT: Final = 100
"""Characters SNS takes, ASCII only: subjects are made of names that can be nothing else."""


def data_rejected() -> State:
    """Return the end of a run whose data did not pass."""
    return fail(
        Name.DATA_REJECTED, f"{DAY} & ': ' & {COUNTS} & ': ' & {FIRST_FINDINGS} & '; see ' & {REPORT}"
    )


def failed() -> State:
    """Return the end of a run that could not be carried through."""
    return fail(Name.FAILED, f"$failure.state & ': ' & $failure.error & ': ' & {REASON}")


@dataclass(frozen=True, slots=True)
class Notices:
    """The states that tell people something."""

    topic: Topic
    stage: str

    def warning(self, *, then: Name) -> State:
        """Tell that the data passed with warnings."""
        subject = f"{DAY} & ' passed with warnings'"
        lines = (f"'The run goes on. ' & {COUNTS}", *_findings())
        return attempt(Name.NOTIFY_WARNING, self._publish(subject, *lines), then=then)

    def rejected(self, *, then: Name) -> State:
        """Tell that the data did not pass, so nothing is trained."""
        subject = f"{DAY} & ' rejected'"
        again = f"'Mend the data, then run the day again: ' & {self._again()}"
        lines = (f"'Nothing is trained on it. ' & {COUNTS}", *_findings(), again)
        return attempt(Name.NOTIFY_REJECTED, self._publish(subject, *lines), then=then)

    def registered(self, *, then: Name, output: Any) -> State:
        """Tell that a model is registered, and that a person is to decide on it where that is so."""
        kind = f"$lookup({json.dumps(KINDS)}, $evaluation.champion)"
        subject = f"{DAY} & ' gave a ' & {kind}"
        lines = (
            "$evaluation.metric & ' ' & $evaluation.value",
            "'Why: ' & $evaluation.reason",
            "'Model: ' & $model_package_arn",
            f"($approval = '{ModelApproval.PENDING}' ? {DECISION})",
            f"'Report: ' & {REPORT_LINK}",
        )
        return attempt(Name.NOTIFY_REGISTERED, self._publish(subject, *lines), then=then, output=output)

    def failure(self, *, then: Name) -> State:
        """Tell that the run failed; it may have failed before anything was planned."""
        planned = "$exists($run.output_uri)"
        subject = f"({planned} ? {DAY} & ': ' : '') & $failure.state & ' failed'"
        lines = (
            f"$failure.error & ': ' & {REASON}",
            "'Input: ' & $substring($string($states.context.Execution.Input), 0, 1000)",
            "'What the error means: docs/runbook.md'",
            f"({planned} ? 'Mend the cause, then run the day again: ' & {self._again()})",
        )
        return attempt(Name.NOTIFY_FAILURE, self._publish(subject, *lines), then=then)

    def _again(self) -> str:
        """Return the expression of the command that runs the day once more."""
        return f"'make run DATE=' & $run.run_date & ' DATASET=' & $run.dataset & ' STAGE={self.stage}'"

    def _publish(self, subject: str, *lines: str) -> Call:
        subject = f"'Sluice {self.stage}: ' & {subject}"
        body = ", ".join((subject, "''", *lines, f"'Execution: ' & {EXECUTION_LINK}"))
        return Call(
            resource="arn:aws:states:::sns:publish",
            arguments={
                "TopicArn": Ref(self.topic),
                "Subject": jsonata(f"$substring({subject}, 0, {SUBJECT_LIMIT})"),
                "Message": jsonata(rf"({SITE}$join([{body}], '\n'))"),
            },
            retried=RETRIED,
            timeout_seconds=30,
            statements=(access.allow([sns.Publish], Ref(self.topic)),),
        )


def _findings() -> tuple[str, ...]:
    return ("''", FINDINGS, "''", f"'Report: ' & {REPORT_LINK}")
