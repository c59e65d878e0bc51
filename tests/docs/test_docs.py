from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from ingest.packets import parse
from leadwire.exits import EXIT_CODES
from schemas import topics
from tests.docs import pages, sources
from tests.docs.pages import ROOT, Link, anchors, fenced, first_cells, section, text
from tests.docs.sources import Command, Relation, Setting

REGISTRY_HOSTS: Final = (
    "pypi", "pythonhosted", "npmjs", "maven.org", "maven.apache", "golang.org", "docker.io", "ghcr.io", "quay.io",
    "crates.io", "rubygems",
)  # fmt: skip
MACHINE_PATHS: Final = re.compile(r"(?<![\w.$])/(?:root|home|work|tmp/(?!leadwire)|Users|workspace|mnt)/")
FIRST_COMMAND_BY_LINE: Final = 25


@pytest.mark.parametrize("setting", sources.settings(), ids=lambda setting: setting.variable)
def test_every_setting_is_documented_with_its_default(setting: Setting) -> None:
    row = next(
        (line for line in text("docs/settings.md").splitlines() if line.startswith(f"| `{setting.variable}`")), ""
    )
    assert row, f"docs/settings.md does not list {setting.variable}"
    if setting.default is not None:
        assert f"| `{setting.default}` |" in row


def test_every_other_variable_is_documented() -> None:
    assert sources.variables_outside_settings() - first_cells("docs/settings.md") == set()


def test_no_variable_is_documented_that_nothing_reads() -> None:
    known = {setting.variable for setting in sources.settings()} | sources.variables_outside_settings()
    assert first_cells("docs/settings.md") - known - {"development", "production"} == set()


def test_every_topic_is_documented_and_no_other() -> None:
    documented = {name for name in first_cells("docs/topics.md") if name.startswith("ecg.")}
    assert documented == set(topics.ALL)


@pytest.mark.parametrize("relation", sources.relations(), ids=lambda relation: relation.name)
def test_every_table_and_view_is_documented_with_its_columns(relation: Relation) -> None:
    told = section("docs/tables.md", relation.name)
    if "The same columns" in told:
        told = section("docs/tables.md", "metrics_1min")
    assert relation.columns
    assert [column for column in relation.columns if f"`{column}`" not in told] == []


def test_every_figure_of_telemetry_is_documented_and_no_other() -> None:
    documented = {name for name in first_cells("docs/telemetry.md") if name.startswith("leadwire_")}
    assert documented == sources.telemetry_names()


@pytest.mark.parametrize("command", sources.commands(), ids=lambda command: command.name)
def test_every_command_is_documented_with_its_options(command: Command) -> None:
    told = section("docs/commands.md", f"leadwire {command.name}")
    assert [option for option in command.options if f"`{option}`" not in told] == []


def test_no_option_is_documented_that_a_command_lacks() -> None:
    known = {option for command in sources.commands() for option in command.options}
    assert {name for name in first_cells("docs/commands.md") if name.startswith("--")} - known == set()


def test_no_page_names_a_command_that_does_not_exist() -> None:
    known = {command.name.split()[0] for command in sources.commands()} | {"COMMAND"}
    named = {name for page in pages.pages() for name in re.findall(r"[`$] ?leadwire ([\w-]+)", page.read_text("utf-8"))}
    assert named - known == set()


@pytest.mark.parametrize("code", sorted({0, 1, 2, 70, 130, *(code for _, code, _ in EXIT_CODES)}))
def test_every_exit_code_is_documented(code: int) -> None:
    assert f"\n| {code} |" in section("docs/commands.md", "Exit codes")


def test_every_route_is_documented_and_no_other() -> None:
    documented = {name for name in first_cells("docs/http.md") if re.match(r"(GET|POST|PUT|DELETE|WS) /", name)}
    assert documented - {"GET /"} == sources.routes()


def test_every_websocket_is_known_here() -> None:
    assert sources.websocket_count() == len(sources.WEBSOCKETS)


def test_every_direct_dependency_is_documented_and_no_other() -> None:
    assert first_cells("docs/dependencies.md") == sources.dependencies()


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "decisions").glob("0*.md")), ids=lambda path: path.stem)
def test_every_decision_is_listed_and_under_a_page(path: Path) -> None:
    told = path.read_text("utf-8")
    assert f"]({path.name})" in text("docs/decisions/README.md")
    assert [heading for heading in ("Context", "Decision", "Consequences") if f"\n## {heading}\n" not in told] == []
    assert len(told.splitlines()) <= 60


def test_every_page_is_listed() -> None:
    listed = text("docs/README.md")
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"]({page.name})" not in listed] == ["README.md"]


@pytest.mark.parametrize(
    "link", list(pages.links()), ids=lambda link: f"{link.page.name}:{link.target.name}#{link.anchor}"
)
def test_every_link_leads_somewhere(link: Link) -> None:
    assert link.target.exists()
    assert not link.anchor or link.anchor in anchors(link.target)


@pytest.mark.parametrize("example", fenced("docs/topics.md", "json"))
def test_the_examples_are_taken_in_by_the_gateway(example: str) -> None:
    assert parse("application/json", example.encode())


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: page.name)
def test_every_json_example_is_json(page: Path) -> None:
    for example in fenced(str(page.relative_to(ROOT)), "json"):
        assert json.loads(example)


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: page.name)
def test_no_page_names_a_registry_or_a_path_of_some_machine(page: Path) -> None:
    told = page.read_text("utf-8")
    assert [host for host in REGISTRY_HOSTS if host in told.lower()] == []
    assert MACHINE_PATHS.findall(told) == []


def test_the_readme_gives_the_first_command_early() -> None:
    assert "make demo" in "\n".join(text("README.md").splitlines()[:FIRST_COMMAND_BY_LINE])


def test_the_readme_says_what_it_is_not_for() -> None:
    assert "Research use: not for diagnosis or primary alarms." in text("README.md")


def test_the_readme_names_only_make_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    named = {name for page in pages.pages() for name in re.findall(r"[`$] ?make ([a-z-]+)", page.read_text("utf-8"))}
    assert named - targets == set()


def test_the_licence_is_apache_2() -> None:
    told = text("LICENSE")
    assert "Apache License" in told
    assert "Copyright 2026 The Leadwire authors" in told
