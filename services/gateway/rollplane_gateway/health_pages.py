"""``/healthz``, ``/livez`` and ``/readyz`` as kube-apiserver answers them, and ``/metrics``."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from rollplane_gateway.calls import Backend, Page
from rollplane_gateway.replies import TEXT, Reply
from rollplane_gateway.requests import Request
from rollplane_gateway.statuses import not_served
from rollplane_service.health import Health

_PING = "ping"


def health_pages(health: Health, registry: CollectorRegistry) -> Mapping[str, Page]:
    """Return the pages that operators and their tools ask."""

    async def ready(_: Backend, request: Request) -> Reply:
        return _answer("readyz", {_PING: "", **health.findings()}, request)

    async def metrics(_: Backend, request: Request) -> Reply:
        return Reply(generate_latest(registry), CONTENT_TYPE_LATEST)

    return {
        **_alive("healthz"),
        **_alive("livez"),
        "/readyz": ready,
        "/readyz/*": ready,
        "/metrics": metrics,
    }


def _alive(name: str) -> Mapping[str, Page]:
    """A process whose loop answers is alive."""

    async def page(_: Backend, request: Request) -> Reply:
        return _answer(name, {_PING: ""}, request)

    return {f"/{name}": page, f"/{name}/*": page}


def _answer(name: str, findings: Mapping[str, str], request: Request) -> Reply:
    """``/readyz`` tells all checks, ``/readyz/store`` one; each is told in words only when asked, or when one fails."""
    check = request.path.strip("/").removeprefix(name).strip("/")
    if check and check not in findings:
        raise not_served()
    asked = {check: findings[check]} if check else findings
    failed = any(asked.values())
    if not failed and not request.query.given("verbose"):
        return Reply(b"ok", TEXT)
    lines = [f"[-]{each} failed: {why}" if why else f"[+]{each} ok" for each, why in asked.items()]
    lines.append(f"{name} check {'failed' if failed else 'passed'}")
    text = "\n".join(lines) + "\n"
    return Reply(text.encode(), TEXT, HTTPStatus.INTERNAL_SERVER_ERROR if failed else HTTPStatus.OK)
