"""The door to boto3: what its answers and errors become."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError

from build.aws import Aws, connect
from build.aws.cloudformation import CloudFormation
from build.aws.ecr import Ecr, Manifest
from build.aws.faults import RefusedError, asking
from build.aws.messaging import EventBridge
from build.aws.s3 import S3
from build.aws.stepfunctions import StepFunctions
from build.errors import PlatformError, UnavailableError, UserError
from build.settings import Credentials, Settings


class Client:
    """A boto3 client of prepared answers: a value is returned, an error raised."""

    def __init__(self, endpoint_url: str = "https://s3.amazonaws.com", **answers: Any) -> None:
        self.meta = SimpleNamespace(endpoint_url=endpoint_url)
        self._answers = answers
        self.asked: list[dict[str, Any]] = []

    def __getattr__(self, operation: str) -> Any:
        answer = self._answers[operation]

        def call(**arguments: Any) -> Any:
            self.asked.append(arguments)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def refusal(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


@pytest.mark.parametrize(
    ("raised", "told", "line"),
    [
        (refusal("AccessDenied", "not\nyou"), RefusedError, "cannot do it: AccessDenied: not you"),
        (
            NoCredentialsError(),
            UnavailableError,
            "cannot do it: Unable to locate credentials; set",
        ),
        (NoRegionError(), UnavailableError, "cannot do it: You must specify a region; set"),
        (EndpointConnectionError(endpoint_url="http://x"), PlatformError, "cannot do it: Could not connect"),
    ],
)
def test_every_failure_of_boto3_is_one_line_of_ours(
    raised: Exception, told: type[PlatformError], line: str
) -> None:
    with pytest.raises(told) as error, asking("do it"):
        raise raised
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


def test_our_own_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), asking("do it"):
        _ = 1 / 0


PAGE = "text/html; charset=utf-8"


class Portal(HTTPServer):
    """Answers every request alike, whatever AWS would have said."""

    status, kind, body = 200, PAGE, b""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)

    def say(self, status: int, kind: str, body: bytes) -> None:
        self.status, self.kind, self.body = status, kind, body


class Answer(BaseHTTPRequestHandler):
    server: Portal

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status)
        self.send_header("Content-Type", self.server.kind)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    with Portal() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def behind(portal: Portal) -> Aws:
    """AWS, as it is seen through the portal."""
    url = f"http://127.0.0.1:{portal.server_port}"
    return connect(Settings(region="us-east-1", endpoint_url=url, credentials=Credentials("key", "secret")))


@pytest.mark.parametrize(
    "ask",
    [
        lambda aws: aws.cloudformation.stack("sluice-dev-pipeline"),
        lambda aws: aws.stepfunctions.executions("arn:aws:states:us-east-1:1:stateMachine:pipeline", 3),
        lambda aws: aws.ecr.manifest("sluice", "sha256:0"),
    ],
    ids=["xml", "json", "json of ECR"],
)
@pytest.mark.parametrize(
    ("kind", "page"),
    [
        (PAGE, b"<p>sign in"),
        (PAGE, b"<html><p>sign in</p></html>"),
        ("", b"<html><p>sign in</p></html>"),
        ("application/xml", b'\n<?xml version="1.0"?><!DOCTYPE html><HTML><p>sign in</p></HTML>'),
    ],
)
def test_a_web_page_is_no_answer_of_aws(
    portal: Portal, behind: Aws, ask: Callable[[Aws], object], kind: str, page: bytes
) -> None:
    portal.say(200, kind, page)
    with pytest.raises(PlatformError, match=r"a web page came .*; look at AWS_ENDPOINT_URL") as told:
        ask(behind)
    assert str(told.value).startswith("cannot ")
    assert "sign in" not in str(told.value)


@pytest.mark.parametrize(("status", "kind"), [(404, PAGE), (200, "text/plain"), (200, "text/xml")])
def test_what_cannot_be_read_is_no_bug_of_ours(portal: Portal, behind: Aws, status: int, kind: str) -> None:
    portal.say(status, kind, b"<p>nothing " * 1000)
    with pytest.raises(PlatformError) as told:
        behind.cloudformation.stack("sluice-dev-pipeline")
    assert str(told.value) == (
        "cannot look at stack sluice-dev-pipeline: what came cannot be read as an answer of AWS; "
        "look at AWS_ENDPOINT_URL and at proxies"
    )


def test_an_answer_of_aws_may_speak_of_web_pages(portal: Portal, behind: Aws) -> None:
    portal.say(200, "application/x-amz-json-1.0", b'{"executions": [], "nextToken": "<html>"}')
    assert behind.stepfunctions.executions("arn:aws:states:us-east-1:1:stateMachine:pipeline", 3) == ()


def test_an_object_may_be_a_web_page(portal: Portal, behind: Aws) -> None:
    portal.say(200, PAGE, b"<html></html>")
    assert behind.s3.read("bucket", "report.html") == b"<html></html>"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:99999", "http://127.0.0.1:x", "127.0.0.1"])
def test_an_endpoint_that_cannot_be_one_is_told_before_it_is_asked(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(UserError, match="look at AWS_REGION and AWS_ENDPOINT_URL"):
        connect(Settings(region="us-east-1"))


def test_there_is_no_such_stack() -> None:
    gone = refusal("ValidationError", "Stack with id s does not exist")
    assert CloudFormation(Client(describe_stacks=gone)).stack("s") is None


def test_another_validation_error_is_not_taken_for_a_missing_stack() -> None:
    with pytest.raises(RefusedError, match="1 validation error"):
        CloudFormation(Client(describe_stacks=refusal("ValidationError", "1 validation error"))).stack("s")


def test_a_stack_without_outputs_and_parameters() -> None:
    answer = {"Stacks": [{"StackName": "s", "StackId": "arn", "StackStatus": "CREATE_COMPLETE"}]}
    found = CloudFormation(Client(describe_stacks=answer)).stack("s")
    assert found is not None
    assert (found.outputs, found.parameters) == ({}, {})


def test_validation_failures_name_resource_and_reason() -> None:
    events = [
        {"LogicalResourceId": "Bucket", "ValidationStatusReason": "the name is taken"},
        {"LogicalResourceId": "s", "ResourceStatusReason": "Validation failed"},
    ]
    door = CloudFormation(Client(describe_events={"OperationEvents": events}))
    assert door.validation_failures(change_set="arn") == ("Bucket: the name is taken",)


def test_who_may_not_read_events_gets_none_instead_of_another_error() -> None:
    door = CloudFormation(Client(describe_events=refusal("AccessDenied")))
    assert door.validation_failures(stack="s") == ()


@pytest.mark.parametrize(
    "body", [{"Parameters": {"A": {"Default": 1}, "B": {}}}, '{"Parameters":{"A":{"Default":1}}}']
)
def test_defaults_of_a_deployed_template(body: object) -> None:
    assert CloudFormation(Client(get_template={"TemplateBody": body})).defaults("s") == {"A": "1"}


def test_a_failed_operation_keeps_nothing_of_what_it_made() -> None:
    """On an update too: a version of a function that stayed would stand in the way of the next try."""
    client = Client(execute_change_set={})
    CloudFormation(client).execute("arn")
    assert client.asked == [{"ChangeSetName": "arn", "RetainExceptOnCreate": True}]


@pytest.mark.parametrize("code", ["PreconditionFailed", "412"])
def test_a_taken_key_is_no_error(code: str) -> None:
    client = Client(put_object=refusal(code))
    assert S3(client).put_new("b", "k", b"x") is False
    assert client.asked[0]["IfNoneMatch"] == "*"


def test_what_a_deployment_uploads_is_never_put_over_what_is_there() -> None:
    """The artifact bucket's policy refuses a PUT without the condition; rehearsals put data, elsewhere."""
    root = Path(__file__).parents[3]
    uploads = re.findall(r"s3\.put\w*", "".join(path.read_text() for path in (root / "build").glob("*.py")))
    assert set(uploads) == {"s3.put_new"}


def test_another_refusal_of_an_upload_is_one() -> None:
    with pytest.raises(RefusedError, match=r"cannot upload s3://b/k: AccessDenied"):
        S3(Client(put_object=refusal("AccessDenied"))).put_new("b", "k", b"x")


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://s3.amazonaws.com", "https://s3.amazonaws.com/b/templates/p-1.json"),
        ("https://s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com/b/templates/p-1.json"),
        ("http://127.0.0.1:4566/", "http://127.0.0.1:4566/b/templates/p-1.json"),
    ],
)
def test_an_objects_url_is_at_the_clients_endpoint(endpoint: str, url: str) -> None:
    assert S3(Client(endpoint)).url("b", "templates/p-1.json") == url


def test_a_hostile_key_is_quoted_in_a_url() -> None:
    assert S3(Client("http://h")).url("b", "a b/ü?#%.json") == "http://h/b/a%20b/%C3%BC%3F%23%25.json"


def test_an_image_is_tagged_by_putting_its_manifest_again() -> None:
    kept = Manifest("sha256:1", "{}", "application/x")
    found = {"images": [{"imageManifest": "{}", "imageManifestMediaType": "application/x"}], "failures": []}
    client = Client(batch_get_image=found, put_image={})
    assert Ecr(client).manifest("r", "sha256:1") == kept
    Ecr(client).put("r", kept, "t")
    assert client.asked[1] == {
        "repositoryName": "r",
        "imageManifest": "{}",
        "imageManifestMediaType": "application/x",
        "imageDigest": "sha256:1",
        "imageTag": "t",
    }
    assert Ecr(Client(batch_get_image={"images": [], "failures": [{}]})).manifest("r", "sha256:1") is None


def test_the_digest_of_a_tag() -> None:
    found = {"imageDetails": [{"imageDigest": "sha256:1"}]}
    assert Ecr(Client(describe_images=found)).digest("r", "t") == "sha256:1"
    assert Ecr(Client(describe_images=refusal("ImageNotFoundException"))).digest("r", "t") is None
    with pytest.raises(RefusedError, match="RepositoryNotFoundException"):
        Ecr(Client(describe_images=refusal("RepositoryNotFoundException"))).digest("r", "t")


def test_a_login_is_taken_apart() -> None:
    token = base64.b64encode(b"AWS:pass:with:colons").decode()
    data = [{"authorizationToken": token, "proxyEndpoint": "https://1.dkr.ecr.x.amazonaws.com"}]
    login = Ecr(Client(get_authorization_token={"authorizationData": data})).login()
    assert (login.registry, login.user) == ("1.dkr.ecr.x.amazonaws.com", "AWS")
    assert login.password == "pass:with:colons"


def test_an_event_the_bus_refuses_is_an_error() -> None:
    answer = {"FailedEntryCount": 1, "Entries": [{"ErrorMessage": "too large"}]}
    with pytest.raises(PlatformError, match="too large"):
        EventBridge(Client(put_events=answer)).put("s", "t", {})
    EventBridge(Client(put_events={"FailedEntryCount": 0, "Entries": [{}]})).put("s", "t", {})


def test_an_execution_gives_its_output_or_its_failure() -> None:
    base = {"executionArn": "a", "name": "n", "status": "FAILED", "startDate": None, "input": '{"x": 1}'}
    failed = StepFunctions(Client(describe_execution={**base, "error": "E", "cause": "C"})).describe("a")
    assert (failed.input, failed.output) == ({"x": 1}, {"Error": "E", "Cause": "C"})
    done = StepFunctions(Client(describe_execution={**base, "output": '{"y": 2}'})).describe("a")
    assert done.output == {"y": 2}
