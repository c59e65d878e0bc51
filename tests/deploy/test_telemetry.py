"""Dashboard, alerts and scraping: they name telemetry that exists, and Prometheus can read them."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from schemas import telemetry
from tests.deploy.compose import ROOT, services

DASHBOARD = ROOT / "deploy/grafana/dashboards/leadwire.json"
ALERTS = ROOT / "deploy/prometheus/alerts.yml"
CONFIG = ROOT / "deploy/prometheus/prometheus.yml"
SUFFIXES = {Counter: ("_total",), Gauge: ("",), Histogram: ("_bucket", "_sum", "_count")}
FROM_PROMETHEUS = {"up": {"job", "instance"}}


def known() -> dict[str, set[str]]:
    """Series name to its labels, of all telemetry, as Prometheus stores it."""
    names = dict(FROM_PROMETHEUS)
    for metric in vars(telemetry).values():
        for kind, suffixes in SUFFIXES.items():
            if isinstance(metric, kind):
                (family,) = metric.describe()
                labels = {*metric._labelnames, "job", "instance", "le"}
                names |= {family.name + suffix: labels for suffix in suffixes}
    return names


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return found


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]


def expressions() -> Iterator[str]:
    yield from (target["expr"] for panel in panels() for target in panel.get("targets", ()))
    yield from (rule["expr"] for rule in rules())


def series(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:leadwire_\w+|up)\b", expression))


def labels(expression: str) -> set[str]:
    grouped = ",".join(re.findall(r"\bby \(([^)]*)\)", expression))
    matched = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression)
    return {name.strip() for name in grouped.split(",") if name.strip()} | set(matched)


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_an_expression_names_only_telemetry_that_exists(expression: str) -> None:
    names = series(expression)
    assert names
    assert names - set(known()) == set()
    assert labels(expression) - {label for name in names for label in known()[name]} == set()


def test_legends_show_only_labels_their_expression_keeps() -> None:
    for panel in panels():
        for target in panel.get("targets", ()):
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels(target["expr"])


def test_the_dashboard_shows_every_figure_there_is() -> None:
    shown = {name for expression in expressions() for name in series(expression)}
    kinds = tuple(SUFFIXES)
    families = [metric.describe()[0].name for metric in vars(telemetry).values() if isinstance(metric, kinds)]
    assert [family for family in families if not any(name.startswith(family) for name in shown)] == []


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_panels_ask_the_data_source_that_is_provisioned() -> None:
    provisioned = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))
    (source,) = provisioned["datasources"]
    assert {panel["datasource"]["uid"] for panel in panels() if "datasource" in panel} == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"


def test_every_alert_says_what_to_do() -> None:
    assert [rule["alert"] for rule in rules() if not rule["annotations"].get("action")] == []


def test_prometheus_asks_each_service_at_the_port_its_health_check_uses() -> None:
    for job in yaml.safe_load(CONFIG.read_text("utf-8"))["scrape_configs"]:
        (found,) = job["dns_sd_configs"]
        assert found["names"] == [job["job_name"]]
        assert f":{found['port']}/ready" in services()[job["job_name"]]["healthcheck"]["test"][-1]


def promtool(*words: str | Path) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool isn't on PATH; apt-get install prometheus has it")
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_accepts_its_configuration_and_the_alerts() -> None:
    promtool("check", "config", CONFIG)


def test_a_partition_that_stands_still_is_alerted_and_one_that_moves_is_not(tmp_path: Path) -> None:
    told = next(rule["annotations"] for rule in rules() if rule["alert"] == "PartitionStandsStill")
    still = {"partition": "3"}
    summary = (
        told["summary"].replace("{{ $labels.partition }}", "3").replace("{{ $value | humanizeDuration }}", "2m 0s")
    )
    wanted = {"exp_labels": still, "exp_annotations": {"summary": summary, "action": told["action"]}}
    case = {
        "interval": "30s",
        "input_series": [
            {"series": 'leadwire_stalled_seconds{partition="3",instance="a"}', "values": "0 30 60 90 120"},
            {"series": 'leadwire_stalled_seconds{partition="3",instance="b"}', "values": "0 30 60 90 120"},
            {"series": 'leadwire_stalled_seconds{partition="4",instance="a"}', "values": "0 30 0 30 0"},
        ],
        "alert_rule_test": [{"eval_time": "2m", "alertname": "PartitionStandsStill", "exp_alerts": [wanted]}],
    }
    file = tmp_path / "still.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "evaluation_interval": "30s", "tests": [case]}))
    promtool("test", "rules", file)


def test_prometheus_can_parse_what_the_dashboard_asks(tmp_path: Path) -> None:
    asked = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    recorded = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, expression in enumerate(asked)
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    promtool("check", "rules", file)
