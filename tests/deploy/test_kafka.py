"""The files of deploy/kafka: of the format Docker reads, and in step with each other."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from schemas import topics
from tests.deploy.compose import ROOT, load

FOLDER = ROOT / "deploy/kafka"
ABOUT_ITS_PLACE = {"listeners", "advertised.listeners", "listener.security.protocol.map", "super.users"}


def overlay() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / "compose.devices.yml").read_text("utf-8"))
    return document


def properties() -> dict[str, str]:
    lines = (FOLDER / "server.properties").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def from_image_s_name(name: str) -> str:
    """How the image reads its variables: one underscore is a dot, three are a hyphen."""
    return name.removeprefix("KAFKA_").lower().replace("___", "-").replace("_", ".")


def test_the_overlay_uses_only_what_the_format_has() -> None:
    schema = json.loads((Path(__file__).parent / "compose.schema.json").read_text("utf-8"))
    document = load()
    kafka, more = document["services"]["kafka"], overlay()["services"]["kafka"]
    merged = {
        "environment": kafka["environment"] | more["environment"],
        "ports": kafka.get("ports", []) + more["ports"],
        "volumes": kafka["volumes"] + more["volumes"],
    }
    assert merged.keys() == more.keys()
    kafka.update(merged)
    jsonschema.Draft202012Validator(schema).validate(document)


def test_the_overlay_asks_devices_for_what_the_tested_settings_ask_clients_for() -> None:
    """Those are tested on a real Kafka (tests/pipeline/test_secure.py); a listener's name is all that differs."""
    given = overlay()["services"]["kafka"]["environment"].items()
    asked = {from_image_s_name(name).replace("name.devices", "name.clients"): value for name, value in given}
    assert {key: asked[key] for key in asked.keys() - ABOUT_ITS_PLACE} == {
        key: properties()[key] for key in asked.keys() - ABOUT_ITS_PLACE
    }


def test_nobody_is_nameless_on_the_listener_for_devices() -> None:
    told = overlay()["services"]["kafka"]["environment"]["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"]
    assert "DEVICES:SASL_SSL" in told.split(",")


def test_the_recipe_names_only_topics_there_are() -> None:
    words = (FOLDER / "principals.sh").read_text("utf-8").replace("(", " ").split()
    named = {word.rstrip(",") for word in words if word.startswith("ecg.") and word not in {"ecg.", "ecg.samples,"}}
    assert named <= set(topics.ALL)


def test_the_recipe_without_a_command_tells_how_it_is_used() -> None:
    env = {"KAFKA_BOOTSTRAP": "x:1", "KAFKA_ADMIN": "x", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", FOLDER / "principals.sh"], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (64, "")
    assert "principals.sh services" in done.stderr


def test_a_device_can_not_take_a_service_s_name() -> None:
    env = {"KAFKA_BOOTSTRAP": "x:1", "KAFKA_ADMIN": "x", "PATH": "/usr/bin:/bin"}
    recipe: list[str | Path] = ["sh", FOLDER / "principals.sh", "device", "leadwire-worker"]
    done = subprocess.run(recipe, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (64, "")
    assert "choose another for a device" in done.stderr
