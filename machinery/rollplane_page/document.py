"""The page as one HTML file that needs nothing else: no network, no server, no build step."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from rollplane_page.comparing import Comparison
from rollplane_page.measured import Measurements
from rollplane_page.recording import Recording

VENDOR = {"preact": "preact.js", "preact/hooks": "hooks.js", "htm": "htm.js", "uplot": "uplot.js"}
"""The libraries of others, by the names that they and we import them under."""
APP = (
    "words",
    "html",
    "parts",
    "model",
    "plot",
    "chart",
    "squares",
    "report",
    "comparison",
    "lines",
    "measured",
    "main",
)
"""Our own modules, imported as ``rollplane/<name>``."""
STYLES = ("vendor/uplot.css", "page.css")

POLICY = "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data:"
"""Whatever the file holds, it can ask nobody anything."""


def report_document(recording: Recording) -> str:
    """Return the page of a finished ``recording``, data and programs included."""
    return _document("recording", recording.title, recording.as_json())


def comparison_document(comparison: Comparison) -> str:
    """Return the page of a ``comparison``, data and programs included."""
    return _document("comparison", comparison.title, comparison.as_json())


def measurements_document(measurements: Measurements) -> str:
    """Return the page of ``measurements``, data and programs included."""
    return _document("measurements", measurements.title, measurements.as_json())


def _document(name: str, title: str, shown: Mapping[str, Any]) -> str:
    data = json.dumps(shown, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return _PAGE.format(
        policy=POLICY,
        title=html.escape(title),
        styles="\n".join(_text(name) for name in STYLES),
        imports=json.dumps({"imports": _imports()}),
        name=name,
        # A script element ends at the first "</", wherever it stands; JSON may write it otherwise.
        data=data.replace("<", "\\u003c"),
        licences=html.escape(_text("vendor/LICENSES.txt")).replace("--", "- -"),
    )


@cache
def _imports() -> Mapping[str, str]:
    modules = {name: f"vendor/{file}" for name, file in VENDOR.items()}
    modules |= {f"rollplane/{name}": f"app/{name}.js" for name in APP}
    return {name: f"data:text/javascript;base64,{_base64(path)}" for name, path in modules.items()}


def _base64(path: str) -> str:
    return base64.b64encode(_text(path).encode()).decode()


def _text(path: str) -> str:
    return resources.files(__package__).joinpath("assets", path).read_text(encoding="utf-8")


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<!-- Libraries within:
{licences}
-->
<style>
{styles}
</style>
<script type="importmap">{imports}</script>
</head>
<body>
<main id="page"><noscript>This page draws with JavaScript.</noscript></main>
<script type="application/json" id="{name}">{data}</script>
<script type="module">import "rollplane/main";</script>
</body>
</html>
"""
