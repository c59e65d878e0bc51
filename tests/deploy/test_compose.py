"""docker-compose.yml: complete, without default secrets, and in step with the settings the services read."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path

import jsonschema
import pytest

from schemas.settings import GROUPS, Settings
from tests.deploy.compose import COMPOSE, OURS, ROOT, VARIABLE, example, filled_in, load, services
from tests.servers.kafka import KAFKA_VERSION
from tests.servers.minio import MINIO_VERSION

ALIASES = {str(field.validation_alias) for group in GROUPS for field in group.model_fields.values()}
# What says how the containers are run, and is no setting of Leadwire's.
ABOUT_CONTAINERS = {
    "POSTGRES_PASSWORD", "GRAFANA_ADMIN_PASSWORD", "MINIO_IMAGE", "LEADWIRE_IMAGE", "LEADWIRE_BIND",
    "LEADWIRE_HTTP_PORT", "MINIO_PORT", "GRAFANA_PORT", "PROMETHEUS_PORT",
}  # fmt: skip
SECRETS = {
    "SECRET_KEY", "POSTGRES_PASSWORD", "LEADWIRE_READER_PASSWORD", "LEADWIRE_AUDITOR_PASSWORD", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY", "GRAFANA_ADMIN_PASSWORD",
}  # fmt: skip


def with_secrets() -> dict[str, str]:
    return example() | dict.fromkeys(SECRETS, "0123456789abcdef0123456789abcdef")


def environment(service: str, values: Mapping[str, str]) -> dict[str, str]:
    return {name: filled_in(text, values) for name, text in services()[service]["environment"].items()}


def test_the_file_uses_only_what_the_format_has() -> None:
    schema = json.loads((Path(__file__).parent / "compose.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(load())


def test_every_service_of_the_design_is_there() -> None:
    assert set(services()) == {
        "kafka", "timescaledb", "minio", "redis", "migrate", "gateway", "worker", "hrv", "archive", "api", "nginx",
        "prometheus",
        "grafana",
    }  # fmt: skip


def test_whatever_keeps_running_has_a_health_check() -> None:
    assert [name for name, service in services().items() if "healthcheck" not in service] == ["migrate"]


def test_images_are_pinned_to_a_version() -> None:
    images = [filled_in(service["image"], {}) for service in services().values()]
    assert [image for image in images if image.endswith(":latest")] == []


def test_services_set_only_settings_that_exist() -> None:
    assert [(name, set(services()[name]["environment"]) - ALIASES) for name in OURS] == [(n, set()) for n in OURS]


def test_variables_are_settings_or_said_to_be_about_containers() -> None:
    assert {match["name"] for match in VARIABLE.finditer(COMPOSE.read_text("utf-8"))} <= ALIASES | ABOUT_CONTAINERS


def test_the_example_lists_every_variable_and_no_other() -> None:
    assert set(example()) == {match["name"] for match in VARIABLE.finditer(COMPOSE.read_text("utf-8"))}


def test_the_example_says_what_compose_would_take_anyway() -> None:
    defaults = {m["name"]: m["rest"] for m in VARIABLE.finditer(COMPOSE.read_text("utf-8")) if m["kind"] == "-"}
    told = {name: value for name, value in example().items() if value}
    assert told == {name: defaults[name] for name in told}


def test_no_secret_has_a_default() -> None:
    demanded = {match["name"] for match in VARIABLE.finditer(COMPOSE.read_text("utf-8")) if match["kind"] == "?"}
    assert demanded == SECRETS
    assert {example()[name] for name in SECRETS} == {""}


def test_a_missing_secret_is_named_with_its_remedy() -> None:
    with pytest.raises(KeyError, match=r"set SECRET_KEY in \.env"):
        environment("gateway", with_secrets() | {"SECRET_KEY": ""})


def test_the_hrv_service_gets_the_database_and_no_secret_it_does_not_need() -> None:
    given = environment("hrv", with_secrets())
    assert "timescaledb:5432" in given["DATABASE_URL"]
    assert {"SECRET_KEY", "AWS_SECRET_ACCESS_KEY"} & set(given) == set()


@pytest.mark.parametrize("service", [name for name in OURS if name != "hrv"])
def test_settings_can_be_read_from_what_a_service_gets(
    service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ALIASES & set(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)  # away from a developer's .env
    for name, value in environment(service, with_secrets()).items():
        monkeypatch.setenv(name, value)
    read = Settings()
    parts = (
        read.kafka, read.database, read.objects, read.cache, read.security, read.rates, read.http, read.worker,
        read.alarms, read.logs, read.backup, read.archive,
    )  # fmt: skip
    assert len(parts) == len(GROUPS)
    assert read.security.environment == "production"


@pytest.mark.parametrize("service", ["gateway", "api"])
def test_the_proxy_that_is_trusted_is_nginx_and_reaches_the_services_from_that_address_only(service: str) -> None:
    nginx = services()["nginx"]["networks"]
    assert json.loads(environment(service, with_secrets())["LEADWIRE_TRUSTED_PROXIES"]) == [
        nginx["front"]["ipv4_address"]
    ]
    assert (set(nginx), set(services()[service]["networks"])) == ({"front"}, {"default", "front"})


def test_no_container_is_given_the_proxys_address_by_chance() -> None:
    [pool] = load()["networks"]["front"]["ipam"]["config"]
    address = ip_address(services()["nginx"]["networks"]["front"]["ipv4_address"])
    assert address in ip_network(pool["subnet"])
    assert address not in ip_network(pool["ip_range"])


def test_the_api_never_gets_the_writers_password() -> None:
    values = with_secrets() | {"POSTGRES_PASSWORD": "the-writers-own"}
    assert "the-writers-own" not in str(environment("api", values))


def test_only_what_is_meant_to_be_reached_is_published() -> None:
    published = {name for name, service in services().items() if "ports" in service}
    assert published == {"nginx", "minio", "grafana", "prometheus"}


def test_ports_are_open_to_this_machine_only_unless_told_otherwise() -> None:
    ports = [filled_in(port, example()) for service in services().values() for port in service.get("ports", ())]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_the_files_and_volumes_that_are_mounted_exist() -> None:
    mounts = [mount.split(":")[0] for service in services().values() for mount in service.get("volumes", ())]
    assert [mount for mount in mounts if mount.startswith(".") and not (ROOT / mount).exists()] == []
    assert {mount for mount in mounts if not mount.startswith(".")} == set(load()["volumes"])


def test_the_servers_are_those_the_tests_run_against() -> None:
    assert services()["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert f"github.com/minio/minio@{MINIO_VERSION}\n" in (ROOT / "deploy/minio/Dockerfile").read_text("utf-8")


def test_the_image_gets_every_package_and_every_file_it_copies() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    sources = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    copied = {source for line in sources for source in line.split()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = {name.split(".")[0] for name in project["tool"]["setuptools"]["packages"]}
    assert packages <= copied
    assert [source for source in copied if not (ROOT / source).exists()] == []
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert copied == allowed


def test_every_package_is_installed_into_the_image() -> None:
    """An editable install finds a package that the wheel leaves out; the image doesn't."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    named = project["tool"]["setuptools"]["packages"]
    folders = {
        file.parent.relative_to(ROOT) for top in named for file in (ROOT / top.split(".")[0]).rglob("__init__.py")
    }
    assert sorted(".".join(folder.parts) for folder in folders) == sorted(named)


def test_the_image_does_not_run_as_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE) == ["leadwire"]
