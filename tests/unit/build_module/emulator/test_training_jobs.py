"""What a training script is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from build.rehearsal.emulator.training_jobs import Disk, command, decode, script_mode

PARAMETERS = {
    "sagemaker_program": "main.py",
    "sagemaker_submit_directory": "s3://b/train.tar.gz",
    "max-depth": "6",
    "eta": "0.1",
    "label": "big_tipper",
    "k": "1",
}
JOB = {
    "TrainingJobName": "job-1",
    "TrainingJobArn": "arn",
    "InputDataConfig": [{"ChannelName": "train"}, {"ChannelName": "champion"}],
}


@pytest.mark.parametrize(
    ("value", "read"),
    [("6", 6), ("0.1", 0.1), ("main.py", "main.py"), ('"main.py"', "main.py"), ("true", True), ("", "")],
)
def test_hyperparameters_are_json_or_text(value: str, read: object) -> None:
    assert decode({"a": value}) == {"a": read}


def test_the_command_has_the_scripts_own_in_order() -> None:
    assert command(decode(PARAMETERS)) == [
        "--eta",
        "0.1",
        "-k",
        "1",
        "--label",
        "big_tipper",
        "--max-depth",
        "6",
    ]


def test_a_nested_hyperparameter_stays_json() -> None:
    assert command(decode({"spec": '{"a": [1]}'})) == ["--spec", '{"a": [1]}']


def test_the_environment_is_script_modes() -> None:
    environment = script_mode(JOB, decode(PARAMETERS), Disk(Path("/ml")))
    assert environment["SM_MODEL_DIR"] == "/ml/model"
    assert environment["SM_OUTPUT_DATA_DIR"] == "/ml/output/data"
    assert environment["SM_CHANNEL_TRAIN"] == "/ml/input/data/train"
    assert environment["SM_CHANNEL_CHAMPION"] == "/ml/input/data/champion"
    assert json.loads(environment["SM_CHANNELS"]) == ["champion", "train"]
    assert json.loads(environment["SM_HPS"]) == {"eta": 0.1, "k": 1, "label": "big_tipper", "max-depth": 6}
    assert environment["SM_HP_MAX_DEPTH"] == "6"
    assert int(environment["SM_NUM_CPUS"]) >= 1


def test_a_job_without_channels_has_none() -> None:
    environment = script_mode({**JOB, "InputDataConfig": []}, decode(PARAMETERS), Disk(Path("/ml")))
    assert json.loads(environment["SM_CHANNELS"]) == []
    assert not [name for name in environment if name.startswith("SM_CHANNEL_")]
