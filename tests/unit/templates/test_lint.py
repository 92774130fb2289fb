"""Each linter that `make check` runs really looks: it finds a mistake planted for it, where it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from templates.findings import BY_TITLE
from tests.unit.templates import lint, policies
from tests.unit.templates.lint import ACCEPTED, Finding, idle, unexplained
from tests.unit.templates.variants import CHOICES, Variant, variants

Template = dict[str, Any]


def written(folder: Path, content: object) -> Path:
    path = folder / "planted.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_cfn_lint_finds_a_value_there_is_not(tmp_path: Path, delivery: Template) -> None:
    planted = json.loads(json.dumps(delivery))
    planted["Resources"]["ValidatorRepository"]["Properties"]["ImageTagMutability"] = "SOMETIMES"
    (finding,) = lint.cfn_lint([written(tmp_path, planted)])
    assert (finding.file, finding.rule) == ("planted.json", "E3030")


def test_checkov_finds_a_bucket_that_may_be_public_and_a_reason_that_is_gone(
    tmp_path: Path, delivery: Template
) -> None:
    planted = json.loads(json.dumps(delivery))
    bucket = planted["Resources"]["ArtifactBucket"]
    bucket["Properties"]["PublicAccessBlockConfiguration"]["BlockPublicAcls"] = False
    del bucket["Metadata"]
    written(tmp_path, planted)
    title = "AWS::S3::Bucket.ArtifactBucket"
    assert sorted(lint.checkov(tmp_path)) == [
        Finding("checkov", "planted.json", rule, title) for rule in ("CKV_AWS_18", "CKV_AWS_53")
    ]


def test_checkov_that_saw_nothing_is_a_finding(tmp_path: Path) -> None:
    written(tmp_path, {"Resources": {}})
    (finding,) = lint.checkov(tmp_path)
    assert finding.rule == "unreadable"


@pytest.mark.parametrize(
    ("action", "resource", "rule"),
    [
        ("s3:GetObjct", "arn:aws:s3:::bucket/key", "UNKNOWN_ACTION"),
        ("s3:GetObject", "arn:aws:s3:::bucket", "RESOURCE_MISMATCH"),
        ("s3:GetObject", "arn:aws:s3::bucket/key", "INVALID_ARN"),
        ("iam:CreateAccessKey", "arn:aws:iam::123456789012:user/*", "CREDENTIALS_EXPOSURE"),
    ],
)
def test_parliament_finds_a_permission_that_is_none(
    tmp_path: Path, action: str, resource: str, rule: str
) -> None:
    statement = {"Effect": "Allow", "Action": [action], "Resource": [resource]}
    written(tmp_path, {"Version": "2012-10-17", "Statement": [statement]})
    found = list(lint.parliament(tmp_path))
    assert rule in {finding.rule for finding in found}
    assert unexplained(found) == found


def test_every_policy_of_every_variant_is_looked_at(tmp_path: Path) -> None:
    policies.write(tmp_path)
    texts = {path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    for variant in variants():
        for title, policy in policies.policies(variant):
            text = json.dumps(policy, indent=2)
            assert text in texts, (variant, title)
            assert "Fn::" not in text, (variant, title)
            assert "${" not in text, (variant, title)


def test_what_has_no_sample_yet_is_told() -> None:
    template = {"Parameters": {"NewArn": {}}, "Resources": {"New": {"Type": "AWS::New::Thing"}}}
    with pytest.raises(KeyError, match="NewArn"):
        policies.resolved({"Ref": "NewArn"}, template)
    with pytest.raises(KeyError, match="AWS::New::Thing"):
        policies.resolved({"Fn::GetAtt": ["New", "Arn"]}, template)


def test_a_finding_is_accepted_for_its_role_and_object_only() -> None:
    rule = "CREDENTIALS_EXPOSURE"
    known = Finding("parliament", "pipeline.dev.ExecutionRole.json", rule, "['ecr:getauthorizationtoken']")
    assert unexplained([known]) == []
    for other in (
        Finding("parliament", "pipeline.dev.TaskRole.json", rule, known.about),
        Finding("parliament", known.file, rule, "['sts:getsessiontoken']"),
        Finding("parliament", known.file, "UNKNOWN_ACTION", known.about),
    ):
        assert unexplained([other]) == [other]
    assert len(idle([known])) == len(ACCEPTED) - 1


def test_every_accepted_finding_has_a_reason_and_a_resource() -> None:
    assert all(accepted.because.endswith(".") for accepted in ACCEPTED)
    titles: set[str] = set()
    for variant in variants():
        for title, resource in json.loads(variant.render())["Resources"].items():
            titles.add(title)
            for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
                assert skip["id"].startswith("CKV"), title
                assert skip["comment"].endswith("."), title
    assert titles >= BY_TITLE.keys()


def test_every_choice_is_linted() -> None:
    assert {variant.choice for variant in variants()} == {"", *CHOICES}
    assert str(Variant("pipeline", "prod", "existing")) in set(map(str, variants()))
