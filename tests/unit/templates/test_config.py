"""The configuration at the door: what is wrong is one line that names the file and the key."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.config import DELIMITERS, ConfigError, ModelApproval, NetworkMode, Schedule, TaskSize, load
from templates.table import ConfigError as TableError
from templates.table import Table, overlay
from tests.configuration import PATH, configuration
from validator import settings
from validator.contract import SchemaPolicy

LEAST = {"DATA_URI": "d", "OUTPUT_URI": "o"}
WHOLE = PATH.read_text(encoding="utf-8")


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    text = WHOLE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def timed(**changes: object) -> str:
    schedule = {
        "cron": "cron(0 3 * * ? *)",
        "window_minutes": 0,
        **changes,
    }
    return f"schedule = {{ {', '.join(f'{key} = {json.dumps(value)}' for key, value in schedule.items())} }}"


def test_a_configuration_is_read() -> None:
    config = configuration()
    taxi = config.datasets[0]
    assert (taxi.name, taxi.label, taxi.drop) == ("taxi", "big_tipper", ("trip_id", "taxi_id"))
    assert config.validation.sizes[0] == TaskSize(1024, 2048)
    assert config.named("validator") == "sluice-dev-validator"


def test_a_dataset_says_what_starts_it(tmp_path: Path) -> None:
    whole = configuration().datasets[0]
    assert (whole.marker, whole.schedule) == ("_SUCCESS", None)
    by_the_clock = (
        timed(cron="cron(30 3 * * ? *)", window_minutes=15),
        "days_back = 1",
        'time_zone = "Europe/Berlin"',
    )
    path = written(tmp_path, ('marker = "_SUCCESS"', "\n".join(by_the_clock)))
    scheduled = load(path, "dev").datasets[0]
    assert scheduled.schedule == Schedule("cron(30 3 * * ? *)", 15)
    assert (scheduled.days_back, scheduled.time_zone) == (1, "Europe/Berlin")
    assert (whole.days_back, whole.time_zone) == (0, "UTC")
    path = written(tmp_path, ('marker = "_SUCCESS"', ""))
    assert load(path, "dev").datasets[0].marker is None


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_what_watches_a_model_may_be_of_one_stage(tmp_path: Path, stage: str) -> None:
    watched = ('marker = "_SUCCESS"', 'monitors = ["m", "m-{stage}"]\nalarms = ["a {stage}"]')
    dataset = load(written(tmp_path, watched), stage).datasets[0]
    assert (dataset.monitors, dataset.alarms) == (("m", f"m-{stage}"), (f"a {stage}",))


def test_a_stage_is_laid_over_the_common_tables() -> None:
    dev, prod = (configuration(stage) for stage in ("dev", "prod"))
    assert (dev.promotion.approval, prod.promotion.approval) == (
        ModelApproval.APPROVED,
        ModelApproval.PENDING,
    )
    assert prod.validation.schema_policy is SchemaPolicy.REQUIRE
    assert prod.validation.sizes == dev.validation.sizes


@pytest.mark.parametrize("sign", DELIMITERS)
def test_a_delimiter_is_one_that_the_validator_and_spark_read(tmp_path: Path, sign: str) -> None:
    path = written(tmp_path, ('name = "taxi"', f'name = "taxi"\ndelimiter = "{sign}"'))
    (dataset,) = load(path, "dev").datasets
    assert dataset.delimiter == sign
    assert settings.load({**LEAST, "CSV_DELIMITER": sign}, {}).delimiter == ("\t" if sign == "tab" else sign)


def test_a_stage_may_have_a_network_of_another_kind(tmp_path: Path) -> None:
    private = ("[stages.dev]", '[stages.prod.network]\nmode = "create-private"\n[stages.dev]')
    path = written(tmp_path, private)
    assert load(path, "prod").network is NetworkMode.CREATE_PRIVATE
    assert load(path, "dev").network is NetworkMode.CREATE_PUBLIC


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "taxi"', 'name = "Taxi!"', "datasets[0].name is 'Taxi!': expected a lower-case letter"),
        ('name = "taxi"', 'name = "../etc"', "datasets[0].name is '../etc'"),
        ('name = "taxi"', 'name = "taxi\\n"', "datasets[0].name is 'taxi\\n'"),
        ('name = "taxi"', "name = 7", "datasets[0].name is 7"),
        ('label = "big_tipper"', "", "datasets[0].label is missing: expected the name of a column"),
        ('label = "big_tipper"', 'label = "trip_id"', "datasets[0].drop holds the label 'trip_id'"),
        (
            'name = "taxi"',
            'name = "taxi"\ndelimiter = ";;"',
            "datasets[0].delimiter is ';;': expected one of , ; | : ^ ~ or the word tab",
        ),
        ('name = "taxi"', 'name = "taxi"\ndelimiter = "\\t"', "datasets[0].delimiter is '\\t'"),
        ('name = "taxi"', 'name = "taxi"\ndelimiter = ""', "datasets[0].delimiter is ''"),
        (
            'drop = ["trip_id", "taxi_id"]',
            'drop = "trip_id"',
            "datasets[0].drop is 'trip_id': expected a list",
        ),
        ('drop = ["trip_id", "taxi_id"]', "drop = [1]", "datasets[0].drop is 1"),
        ('"schema/taxi.pbtxt"', '"/etc/passwd.pbtxt"', "datasets[0].schema is '/etc/passwd.pbtxt'"),
        ('"schema/taxi.pbtxt"', '"../taxi.pbtxt"', "datasets[0].schema is '../taxi.pbtxt'"),
        (
            '"schema/taxi.pbtxt"',
            '"schema/nope.pbtxt"',
            "datasets[0].schema is 'schema/nope.pbtxt': the repository has no such file; put",
        ),
        ('"schema/taxi.pbtxt"', f'"{"x" * 999}.pbtxt"', f"schema is '{'x' * 79}: the repository has no such"),
        ('"schema/taxi.pbtxt"', '"schema/taxi.pbtxt/x.pbtxt"', "the repository has no such file"),
        ('marker = "_SUCCESS"', 'marker = "SUCCESS"', "datasets[0].marker is 'SUCCESS': expected the name"),
        ('marker = "_SUCCESS"', 'marker = "_a/b"', "datasets[0].marker is '_a/b'"),
        ('marker = "_SUCCESS"', 'marker = "_*"', "datasets[0].marker is '_*'"),
        ('marker = "_SUCCESS"', 'marker = ".."', "datasets[0].marker is '..'"),
        ('marker = "_SUCCESS"', "schedule = 7", "datasets[0].schedule is 7: expected a table"),
        (
            'marker = "_SUCCESS"',
            timed(cron="rate(1 day)"),
            "datasets[0].schedule.cron is 'rate(1 day)': expected six fields",
        ),
        (
            'marker = "_SUCCESS"',
            timed(cron="cron(30 3 * * * *)"),
            "datasets[0].schedule.cron is 'cron(30 3 * * * *)': one of day of the month and day of the week",
        ),
        (
            'marker = "_SUCCESS"',
            timed(cron="cron(99 3 * * ? *)"),
            "datasets[0].schedule.cron is 'cron(99 3 * * ? *)': minutes cannot be '99'",
        ),
        ('marker = "_SUCCESS"', timed(cron=7), "datasets[0].schedule.cron is 7: expected six fields"),
        *(
            ('marker = "_SUCCESS"', f'time_zone = "{zone}"', f"datasets[0].time_zone is {zone!r:.80}")
            for zone in ("../UTC", "Europe/Berln", "X" * 50, "europe/berlin", "localtime", "Factory", "")
        ),
        (
            'marker = "_SUCCESS"',
            "days_back = -1",
            "datasets[0].days_back is -1",
        ),
        ("[validation]", "[validtion]", "validtion is not known: take one of datasets, stages, validation"),
        ('"bootstrap"', '"guess"', "validation.schema_policy is 'guess': expected one of bootstrap, require"),
        (
            "cpu = 1024, memory = 2048",
            "cpu = 1024, memory = 1024",
            "validation.sizes[0]: Fargate has no tasks of 1024",
        ),
        ("cpu = 1024, memory = 2048", 'cpu = "1024", memory = 2048', "validation.sizes[0].cpu is '1024'"),
        ("cpu = 1024, memory = 2048", "cpu = 2048, memory = 16384", "validation.sizes do not ascend"),
        ("cpu = 1024, memory = 2048", "cpu = 1024", "validation.sizes[0].memory is missing"),
        (
            "max_objects = 10000",
            "max_objects = 0",
            "validation.max_objects is 0: expected a whole number from 1",
        ),
        (
            "most_children = 64",
            "most_children = 834",
            "validation.most_children is 834: expected a whole number from 1 to 833",
        ),
        ("max_objects = 10000", "max_objects = true", "validation.max_objects is True"),
        ("workers = 2", "workers = 1", "preparation.workers is 1"),
        ('"G.1X"', '"Z.1X"', "preparation.worker_type is 'Z.1X': expected one of G.1X"),
        ('"ml.m5.xlarge"', '"ml.p5.48xlarge"', "training.instance_type is 'ml.p5.48xlarge'"),
        ("wait_minutes = 120", "wait_minutes = 30", "training.wait_minutes is below timeout_minutes"),
        ("eta = 0.3", "eta = [0.1]", "training.hyperparameters.eta is [0.1]: expected a number from 0 to 1"),
        (
            "eta = 0.3",
            'sagemaker_program = "x.py"',
            "training.hyperparameters.sagemaker_program is not known: take one of num_round",
        ),
        ("margin = 0.0\n", "margin = nan", "promotion.margin is nan"),
        ('approval = "Approved"', 'approval = "Rejected"', "promotion.approval is 'Rejected'"),
        ("log_days = 14", "log_days = 15", "retention.log_days is 15"),
        ("log_days = 14", "log_days = 14.0", "retention.log_days is 14.0: expected one of 1, 3, 5, 7, 14,"),
        ("log_days = 14", "log_days = true", "retention.log_days is True"),
        ('label = "big_tipper"', 'label = "{{resolve:ssm:/x}}"', "datasets[0].label holds '{{resolve:'"),
        ('"taxi_id"]', '"a{{resolve:secretsmanager:x}}"]', "datasets[0].drop holds '{{resolve:'"),
        ('marker = "_SUCCESS"', 'alarms = ["{{resolve:ssm:/x}}"]', "datasets[0].alarms holds '{{resolve:'"),
        (
            'marker = "_SUCCESS"',
            'alarms = ["sluice-dev-failed"]',
            "alarms holds 'sluice-dev-failed', a name of the",
        ),
        ('marker = "_SUCCESS"', 'alarms = ["Sluice-Prod-x"]', "datasets[0].alarms holds 'Sluice-Prod-x'"),
        (
            "customer_managed_key = false",
            'customer_managed_key = "false"',
            "security.customer_managed_key is 'false': expected true or false",
        ),
        ("customer_managed_key = false", "customer_managed_key = 1", "security.customer_managed_key is 1"),
        ("customer_managed_key = false", "", "security.customer_managed_key is missing"),
        ("customer_managed_key = false", "key = true", "security.key is not known"),
        ("[stages.dev]", "[stages.qa]", "stages.qa is not known: take one of dev, prod"),
        ("[stages.dev]", "[stages.dev.networks]", "stages.dev.networks is not known"),
        (
            '"create-public"',
            '"public"',
            "network.mode is 'public': expected one of create-public, create-private",
        ),
        ('mode = "create-public"', "", "network.mode is missing: expected one of create-public"),
        ('mode = "create-public"', 'mode = "existing"\nsubnets = []', "network.subnets is not known"),
        ("[stages.dev]", '[stages.dev.network]\nmode = "none"', "network.mode is 'none'"),
        ("[stages.dev]", "[stages.dev.retention]\nlog_day = 3", "retention.log_day is not known"),
        ("[stages.dev]", "[stages]\ndev = 1", "stages.dev is 1: expected a table"),
        ("[stages.dev]", '[stages.dev]\n"a\\nb" = 1', "stages.dev.'a\\nb' is not known"),
        ("[stages.dev]", "[stages.dev", "not TOML"),
        ("[[datasets]]", "[datasets]", "datasets is {"),
    ],
)
def test_a_mistake_is_one_line_with_file_and_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = written(tmp_path, (old, new))
    with pytest.raises(ConfigError) as caught:
        load(path, "dev")
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert told in message
    assert "\n" not in message


def test_two_datasets_may_not_share_a_name(tmp_path: Path) -> None:
    again = '[[datasets]]\nname = "taxi"\nlabel = "tips"\n\n[validation]'
    with pytest.raises(ConfigError, match=r"datasets\[1\]\.name is 'taxi' again"):
        load(written(tmp_path, ("[validation]", again)), "dev")


def test_what_is_shown_of_the_file_has_a_bound(tmp_path: Path) -> None:
    for new, told in (
        (f"{'x' * 1_000_000} = 1", f"training.hyperparameters.'{'x' * 79} is not known: take one of"),
        (f"eta = '{'x' * 1_000_000}'", f"eta is '{'x' * 79}: expected a number from 0 to 1"),
        (f"eta = 0x{'f' * 10_000}", "eta is a number beyond all bounds: expected a number from 0 to 1"),
    ):
        with pytest.raises(ConfigError) as caught:
            load(written(tmp_path, ("eta = 0.3", new)), "dev")
        assert told in str(caught.value)


def test_one_size_at_least_is_wanted(tmp_path: Path) -> None:
    sizes = WHOLE[WHOLE.index("sizes = [") : WHOLE.index("[preparation]")]
    with pytest.raises(
        ConfigError, match=r"validation\.sizes is \[\]: expected a list of tables, one at least"
    ):
        load(written(tmp_path, (sizes, "sizes = []\n")), "dev")


@pytest.mark.parametrize("key", ["monitors", "alarms"])
def test_what_starts_a_dataset_starts_no_other(tmp_path: Path, key: str) -> None:
    """Init takes the first dataset that names it: the other one would never be started."""

    def named(first: str, second: str) -> Path:
        bikes = f'[[datasets]]\nname = "bikes"\nlabel = "late"\n{key} = ["own", "{second}"]\n\n[validation]'
        return written(tmp_path, ('marker = "_SUCCESS"', f'{key} = ["{first}"]'), ("[validation]", bikes))

    assert len(load(named("drift-1", "drift-2"), "dev").datasets) == 2
    with pytest.raises(ConfigError, match=rf"datasets\[1\]\.{key} holds 'DRIFT', and so does datasets\[0\]"):
        load(named("drift", "DRIFT"), "dev")


@pytest.mark.parametrize("zone", ["EST5EDT", "GB-Eire", "GMT+0", "UTC", "America/Argentina/Buenos_Aires"])
def test_every_time_zone_of_iana_is_known(tmp_path: Path, zone: str) -> None:
    (dataset,) = load(written(tmp_path, ('marker = "_SUCCESS"', f'time_zone = "{zone}"')), "dev").datasets
    assert dataset.time_zone == zone


@pytest.mark.parametrize(
    "text",
    [
        f"x = {'[' * 2000}{']' * 2000}",
        f"x = {'{a = ' * 2000}1{'}' * 2000}",
        f"{'.'.join(['a'] * 3000)} = 1",
        f"stages.dev.network.{'.'.join(['mode'] * 3000)} = 1",
        f"network.{'.'.join(['mode'] * 3000)} = 1",
    ],
)
def test_a_file_nested_too_deep_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, "dev")
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("stage", ["", "Dev", "staging", "dev\n"])
def test_an_unknown_stage_is_refused(stage: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown stage .*take one of dev, prod"):
        load(PATH, stage)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(ConfigError, match=r"cannot read .*none\.toml: No such file"):
        load(missing, "dev")
    with pytest.raises(ConfigError, match="cannot read"):
        load(tmp_path, "dev")
    missing.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not TOML"):
        load(missing, "dev")


trees = st.recursive(
    st.integers() | st.text(max_size=3), lambda below: st.dictionaries(st.text(max_size=2), below, max_size=3)
)


@given(st.dictionaries(st.text(max_size=2), trees, max_size=3), st.dictionaries(st.text(max_size=2), trees))
def test_what_is_laid_over_is_seen_and_the_rest_shows_through(
    base: dict[str, Any], above: dict[str, Any]
) -> None:
    laid = overlay(base, above)
    assert laid.keys() == base.keys() | above.keys()
    assert overlay(laid, above) == laid
    assert overlay(base, {}) == base


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())


@given(st.dictionaries(st.sampled_from(["key", "other"]), values))
def test_whatever_stands_there_it_is_read_or_refused_in_one_line(document: dict[str, Any]) -> None:
    table = Table("config.toml", "place", document)
    for read in (
        lambda: table.text("key", r"[a-z]+", "letters"),
        lambda: table.texts("key", r"[a-z]+", "letters"),
        lambda: table.whole("key", 1, 9),
        lambda: table.number("key", 0, 1),
        lambda: table.flag("key"),
        lambda: table.one_of("key", ("a", 1)),
        lambda: table.table("key"),
        lambda: list(table.tables("key")),
    ):
        told = refusal(read)
        assert told is None or told.startswith("config.toml: place.key ")
        assert told is None or len(told.splitlines()) == 1


def refusal(read: Callable[[], object]) -> str | None:
    try:
        read()
    except TableError as error:
        return str(error)
    return None


def test_every_line_of_the_file_is_toml_people_can_read() -> None:
    assert tomllib.loads(WHOLE)["stages"].keys() == {"dev", "prod"}
