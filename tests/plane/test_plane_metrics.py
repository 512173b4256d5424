"""Dashboard, alerts and the page on operations name what the services export, and the page names all of it."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.up_process import running

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD = DOCS / "operations" / "grafana-dashboard.json"
ALERTS = DOCS / "operations" / "alerts.yaml"
OURS = re.compile(r"\b(?:apiserver|rollplane|workqueue|process)_[a-z_]+\b")
PREFIXES = ("apiserver_", "rollplane_", "workqueue_")
PROMETHEUS_OWN = re.compile(r"\bup\{")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The type of each metric that a plane exports, by name."""
    data = tmp_path_factory.mktemp("plane")
    found: dict[str, str] = {}
    with running("--nodes", "2", "--profile", "instant", "--port", "0", "--data", str(data)) as up:
        for address in up.ready["metrics"].split(","):
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
                body = answer.read().decode()
            found |= dict(re.findall(r"^# TYPE (\S+) (\S+)$", body, re.MULTILINE))
    return found


def series(exported: dict[str, str]) -> set[str]:
    """Return the names that a query may use."""
    return {
        f"{name}{suffix}"
        for name, kind in exported.items()
        for suffix in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))
    }


def dashboard_queries() -> Iterator[str]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"]


def alert_rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def test_every_query_names_metrics_that_are_exported(exported: dict[str, str]) -> None:
    queries = [*dashboard_queries(), *(rule["expr"] for rule in alert_rules())]
    assert len(queries) > 30
    for query in queries:
        names = set(OURS.findall(query))
        assert names or PROMETHEUS_OWN.search(query), query
        assert names <= series(exported), query


def test_panels_stand_beside_each_other_and_have_names() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    assert all(panel["title"] for panel in panels)


def test_every_alert_says_how_bad_it_is_and_what_to_think_of_it() -> None:
    for rule in alert_rules():
        assert rule["labels"]["severity"] in ("warning", "critical"), rule
        assert rule["annotations"]["summary"], rule
    names = [rule["alert"] for rule in alert_rules()]
    assert len(set(names)) == len(names)


def test_the_page_on_operations_lists_all_metrics_of_ours_and_no_others(exported: dict[str, str]) -> None:
    page = (DOCS / "operations.md").read_text()
    table = page[page.index("## Metrics") :]
    listed = {name for name in re.findall(r"`([a-z_]+)`", table) if name.startswith(PREFIXES)}
    ours = {name for name in exported if name.startswith(PREFIXES)}
    assert listed == {name for name in ours if not name.endswith("_created")}
