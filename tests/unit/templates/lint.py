"""Three linters over the templates of every variant and of the deployment role: what nobody has accepted.

    python -m tests.unit.templates.lint      # part of make check: 1 and the findings, or 0

checkov's accepted findings stand in the templates (`templates.findings`), parliament's here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Final

from tests.unit.templates import policies, variants
from tests.unit.templates.variants import ROOT

CFN_LINT: Final = ROOT / ".venv-linters/bin/cfn-lint"
CHECKOV: Final = ROOT / ".venv-security/bin/checkov"
PARLIAMENT: Final = ROOT / ".venv-security/bin/parliament"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What a linter says of a file."""

    linter: str
    file: str
    rule: str
    about: str

    def __str__(self) -> str:
        return f"{self.linter}: {self.file}: {self.rule} {self.about}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding of parliament that stands: patterns of its rule, file and object, and the reason."""

    rule: str
    file: str
    about: str
    because: str

    def covers(self, finding: Finding) -> bool:
        pairs = ((self.rule, finding.rule), (self.file, finding.file), (self.about, finding.about))
        return all(re.fullmatch(pattern, text) for pattern, text in pairs)


ACCEPTED: Final = (
    Accepted(
        "UNKNOWN_ACTION",
        r"delivery\..*ReleaseBuildRole\.json",
        r".*cloudformation:DescribeEvents.*",
        "It is newer than parliament's list of actions; botocore knows it.",
    ),
    Accepted(
        "RESOURCE_MISMATCH",
        r"pipeline\..*InitRole\.json",
        r'\[\{"action": "states:DescribeExecution", "required_format": "[^"]+:express:[^"]+"\}\]',
        "It asks for executions of express machines as well; ours is a standard one.",
    ),
    Accepted(
        "CREDENTIALS_EXPOSURE",
        r"(delivery\..*ReleaseBuild|pipeline\..*(Execution|Training))Role\.json",
        r".*\['ecr:getauthorizationtoken'\].*",
        "Who pulls or pushes an image logs in first; what it may pull is another statement.",
    ),
    Accepted(
        "PERMISSIONS_MANAGEMENT_ACTIONS",
        r"pipeline\..*StateMachineRole\.json",
        r".*\['iam:passrole', 'logs:putresourcepolicy'\].*",
        "Log delivery needs the one; tasks and jobs the other, for named roles and services.",
    ),
    Accepted(
        "PERMISSIONS_MANAGEMENT_ACTIONS",
        r"pipeline\..*TrainingRole\.json",
        r".*\['kms:creategrant'\].*",
        "SageMaker attaches the encrypted disk by a grant, and may grant to services of AWS only.",
    ),
    Accepted(
        "UNKNOWN_ACTION",
        r"deployment\.Deploy(Compute|Surroundings)\.json",
        r".*(lambda:GetFunctionScalingConfig|s3:GetBucketAbac).*",
        "They are newer than parliament's list of actions; cfn-lint knows them.",
    ),
    Accepted(
        "UNKNOWN_CONDITION_FOR_ACTION",
        r"deployment\.DeployKeys\.json",
        r".*kms:ResourceAliases.*",
        "It is newer than parliament's list of conditions.",
    ),
    Accepted(
        "PERMISSIONS_MANAGEMENT_ACTIONS",
        r"deployment\.Deploy(Keys|Roles)\.json",
        r".*(iam:createrole|kms:createkey).*",
        "Whoever deploys makes roles and keys: these of the pipeline, within the boundary that is given.",
    ),
    Accepted(
        "RESOURCE_STAR",
        r"deployment\.DeploySurroundings\.json",
        r".*ec2:CreateVpc.*",
        "EC2 names its resources itself, when it has made them.",
    ),
)


def cfn_lint(paths: Sequence[Path]) -> Iterator[Finding]:
    """Yield what cfn-lint says of templates."""
    for each in json.loads(_said(CFN_LINT, "--format", "json", *map(str, paths))):
        rule, about = each["Rule"]["Id"], each["Message"]
        yield Finding("cfn-lint", Path(each["Filename"]).name, rule, about)


def checkov(folder: Path) -> Iterator[Finding]:
    """Yield what checkov says of a folder's templates, and templates it could not read."""
    options = ("--framework", "cloudformation", "--skip-download", "--quiet", "--compact", "--output", "json")
    report = json.loads(_said(CHECKOV, *options, "--directory", str(folder)))
    # Where it looked at nothing, the counts are all there is.
    summary = report.get("summary", report)
    if summary["parsing_errors"] or not summary["passed"]:
        yield Finding("checkov", folder.name, "unreadable", f"{summary}")
    for each in report.get("results", {}).get("failed_checks", []):
        yield Finding("checkov", Path(each["file_path"]).name, each["check_id"], each["resource"])


def parliament(folder: Path) -> Iterator[Finding]:
    """Yield what parliament says of a folder's policies."""
    options = ("--json", "--include-community-auditors", "--directory", str(folder))
    for line in _said(PARLIAMENT, *options).splitlines():
        each = json.loads(line)
        location = each["location"]
        about = json.dumps(each["detail"]) if each["detail"] else str(sorted(location.get("actions", ())))
        yield Finding("parliament", Path(location["filepath"]).name, each["issue"], about)


def unexplained(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that nobody has accepted."""
    return [each for each in findings if not any(reason.covers(each) for reason in ACCEPTED)]


def idle(findings: Sequence[Finding]) -> list[Accepted]:
    """Return what is accepted and found no more: it would hide the next mistake."""
    return [reason for reason in ACCEPTED if not any(map(reason.covers, findings))]


def _said(linter: Path, *arguments: str) -> str:
    if not linter.exists():
        raise SystemExit(f"no {linter.relative_to(ROOT)}: run `make setup`")
    done = subprocess.run([linter, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)
    # 1 and more mean findings; a linter that broke says nothing on stdout, or says it in prose.
    if done.returncode and not done.stdout.lstrip().startswith(("{", "[")):
        raise SystemExit(f"{linter.name} broke: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def found(folder: Path) -> Iterator[Finding]:
    """Yield what all three say of every template and its policies, written below a folder."""
    templates, roles = folder / "templates", folder / "policies"
    paths = [*variants.write(templates), Path(copy(policies.DEPLOYMENT, templates))]
    policies.write(roles)
    looks = (cfn_lint(paths), checkov(templates), parliament(roles))
    # Processes of their own, of which cfn-lint takes as long as the others together.
    with ThreadPoolExecutor() as pool:
        for said in pool.map(list[Finding], looks):
            yield from said


def main() -> int:
    with TemporaryDirectory() as folder:
        findings = sorted(found(Path(folder)))
    lines = [str(finding) for finding in unexplained(findings)]
    lines += [f"accepted, but not found: {reason}" for reason in idle(findings)]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
