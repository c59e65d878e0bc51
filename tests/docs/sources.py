"""What there is to be documented, asked of the code itself."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import prometheus_client
from fastapi import FastAPI
from typer.main import get_command

from api.app import create_api
from ingest.gateway import create_gateway
from leadwire.cli import app
from schemas import telemetry
from schemas.settings import GROUPS, HttpSettings, KafkaSettings, SecuritySettings, Settings
from schemas.settings_store import DatabaseSettings, ObjectSettings
from tests.docs.pages import ROOT, text

_TABLE: Final = re.compile(r"^CREATE TABLE(?: IF NOT EXISTS)? (\w+) \((.*?)^\)", re.MULTILINE | re.DOTALL)
_ADDED: Final = re.compile(r"^ALTER TABLE (\w+)((?:\s+ADD COLUMN .*)+)", re.MULTILINE)
_DROPPED: Final = re.compile(r"^ALTER TABLE (\w+)\s+DROP COLUMN (\w+);", re.MULTILINE)
_VIEW: Final = re.compile(r"^CREATE (?:OR REPLACE )?(?:MATERIALIZED )?VIEW (\w+)(.*?)^FROM ", re.MULTILINE | re.DOTALL)
_COLUMN: Final = re.compile(r"^ {4}([a-z_0-9]+) +[a-z]", re.MULTILINE)
_OUTPUT: Final = re.compile(r"^ {4}(?:.* AS )?(\w+),?$", re.MULTILINE)
_METHODS: Final = ("get", "post", "put", "delete")

WEBSOCKETS: Final = ("WS /ws/ecg/{user_id}", "WS /api/v1/ecg/samples")
"""OpenAPI knows no WebSockets; websocket_count() tells when there are more."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable, and its default as text (None: has none)."""

    variable: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view, and its columns (or the table that it has them of)."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """A command without the program's name, and each spelling of its options."""

    name: str
    options: tuple[str, ...]


def settings() -> list[Setting]:
    """Every variable of the groups; secrets' defaults are not told."""
    return [
        Setting(str(field.validation_alias), _shown(field.get_default(call_default_factory=True)))
        for group in GROUPS
        for field in group.model_fields.values()
    ]


def _shown(default: object) -> str | None:
    if default is None or "Secret" in type(default).__name__:
        return None
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, list):
        return json.dumps(default)
    return f"{default:g}" if isinstance(default, float) else str(default)


def variables_outside_settings() -> set[str]:
    """Environment variables that compose, `.env.example`, the tests and the commands name."""
    files = [ROOT / "docker-compose.yml", *(ROOT / "leadwire").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]
    named = {name for file in files for name in re.findall(r"\bLEADWIRE_[A-Z0-9_]+\b", file.read_text("utf-8"))}
    compose = re.findall(r"\$\{([A-Z0-9_]+)[:}]", text("docker-compose.yml"))
    return named | set(compose) | set(re.findall(r"^([A-Z0-9_]+)=", text(".env.example"), re.MULTILINE))


def relations() -> list[Relation]:
    """Every table and view of the migrations and of the ledger, with its columns; without those dropped later."""
    folder = ROOT / "storage"
    files = [*sorted((folder / "migrations").glob("*.sql")), folder / "migrate.py"]
    texts = [file.read_text("utf-8") for file in files]
    dropped = {pair for one in texts for pair in _DROPPED.findall(one)}
    return [
        Relation(found.name, tuple(column for column in found.columns if (found.name, column) not in dropped))
        for one in texts
        for found in _relations(one)
    ]


def _relations(sql: str) -> Iterator[Relation]:
    for name, body in _TABLE.findall(sql.replace("\n)", "\n);\n)")):
        yield Relation(name, tuple(_COLUMN.findall(body)) or tuple(re.findall(r"LIKE (\w+)", body)))
    for name, body in _ADDED.findall(sql):
        yield Relation(name, tuple(re.findall(r"ADD COLUMN (\w+)", body)))
    for name, body in _VIEW.findall(sql):
        yield Relation(name, tuple(_OUTPUT.findall(body.split("SELECT", 1)[1])))


def telemetry_names() -> set[str]:
    """The names under which Prometheus finds our figures."""
    kinds = (prometheus_client.Counter, prometheus_client.Gauge, prometheus_client.Histogram)
    figures = (value for value in vars(telemetry).values() if isinstance(value, kinds))
    families = (family for figure in figures for family in figure.collect())
    return {f"{family.name}_total" if family.type == "counter" else family.name for family in families}


def commands() -> list[Command]:
    """Every command of the command line."""
    return list(_commands(get_command(app), ""))


def _commands(command: Any, name: str) -> Iterator[Command]:
    below = getattr(command, "commands", {})
    if not below or command.invoke_without_command:
        spellings = [spelling for each in command.params for spelling in _spellings(each)]
        yield Command(name.strip(), tuple(spellings))
    for part, sub in below.items():
        yield from _commands(sub, f"{name} {part}")


def _spellings(parameter: Any) -> list[str]:
    if parameter.param_type_name == "argument":
        return [parameter.name.upper()]
    return [*parameter.opts, *parameter.secondary_opts]


def routes() -> set[str]:
    """`METHOD path` of both OpenAPI documents, and the WebSockets, which are in neither."""
    given = _given_settings()
    applications: list[FastAPI] = [create_api(given), create_gateway(given)]
    http = {
        f"{method.upper()} {path}"
        for application in applications
        for path, operations in application.openapi()["paths"].items()
        for method in operations
        if method in _METHODS
    }
    return http | set(WEBSOCKETS)


def websocket_count() -> int:
    """How many WebSocket routes the two applications' sources declare."""
    files = [*(ROOT / "api" / "routes").glob("*.py"), *(ROOT / "ingest" / "routes").glob("*.py")]
    return sum(file.read_text("utf-8").count("@router.websocket(") for file in files)


def _given_settings() -> Settings:
    """Settings of no machine: building an application connects nothing."""
    given = Settings()
    given.__dict__ |= {
        "kafka": KafkaSettings.model_construct(),
        "database": DatabaseSettings.model_construct(),
        "objects": ObjectSettings.model_construct(folder=Path(os.devnull)),
        "security": SecuritySettings.model_construct(environment="development"),
        "http": HttpSettings.model_construct(),
    }
    return given


def dependencies() -> set[str]:
    """The names of every direct dependency, those of the extra `dev` included."""
    project = tomllib.loads(text("pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    return {re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in wanted}
