"""Probes and hooks: what is asked of a container while it runs, or run when it starts and stops."""

from __future__ import annotations

from collections.abc import Iterator

from rollplane.core import v1 as core
from rollplane.meta import v1 as meta
from rollplane_machinery import int_or_string, names
from rollplane_machinery.errors import Cause
from rollplane_machinery.validation.causes import (
    forbidden,
    invalid,
    not_negative,
    not_supported,
    one_of,
    problems,
    required,
    under,
)

_SCHEMES = frozenset({"HTTP", "HTTPS"})


def check_liveness(probe: core.Probe) -> list[Cause]:
    """Return what is wrong with a liveness or startup probe, for which one success is enough."""
    found = _check_probe(probe)
    if probe.success_threshold != 1:
        found.append(invalid("successThreshold", probe.success_threshold, "set it to 1"))
    return found


def check_readiness(probe: core.Probe) -> list[Cause]:
    """Return what is wrong with a readiness probe, which never ends a container."""
    found = _check_probe(probe)
    if probe.HasField("termination_grace_period_seconds"):
        seconds = probe.termination_grace_period_seconds
        found.append(invalid("terminationGracePeriodSeconds", seconds, "leave it out of readiness probes"))
    return found


def _check_probe(probe: core.Probe) -> list[Cause]:
    found = check_handler(probe.handler)
    if probe.initial_delay_seconds < 0:
        found += not_negative("initialDelaySeconds", probe.initial_delay_seconds)
    if probe.timeout_seconds < 0:
        found += not_negative("timeoutSeconds", probe.timeout_seconds)
    if probe.period_seconds < 0:
        found += not_negative("periodSeconds", probe.period_seconds)
    if probe.success_threshold < 0:
        found += not_negative("successThreshold", probe.success_threshold)
    if probe.failure_threshold < 0:
        found += not_negative("failureThreshold", probe.failure_threshold)
    if probe.HasField("termination_grace_period_seconds") and probe.termination_grace_period_seconds <= 0:
        seconds = probe.termination_grace_period_seconds
        found.append(invalid("terminationGracePeriodSeconds", seconds, "set it to 1 or more"))
    return found


def check_handler(handler: core.ProbeHandler | core.LifecycleHandler) -> list[Cause]:
    """Return what is wrong with a handler: exactly one action, and that one well formed."""
    found: list[Cause] = []
    actions = 0
    for name, causes in _actions(handler):
        actions += 1
        if actions > 1:
            found.append(forbidden(name, "keep one handler, there is another before it"))
        elif causes:
            found += under(name, causes)
    return found if actions else [required("", "give a handler: exec, httpGet, tcpSocket, …")]


def _actions(handler: core.ProbeHandler | core.LifecycleHandler) -> Iterator[tuple[str, list[Cause]]]:
    """Yield the name of each action that is set, and what is wrong with it."""
    if handler.HasField("exec"):
        yield "exec", [] if handler.exec.command else [required("command", "give the command to run")]
    if handler.HasField("http_get"):
        yield "httpGet", _check_http_get(handler.http_get)
    if handler.HasField("tcp_socket"):
        yield "tcpSocket", check_port("port", handler.tcp_socket.port)
    if isinstance(handler, core.ProbeHandler):
        if handler.HasField("grpc"):
            yield "grpc", problems("port", handler.grpc.port, names.check_port_number(handler.grpc.port))
    elif handler.HasField("sleep"):
        seconds = handler.sleep.seconds
        yield "sleep", [] if seconds > 0 else [invalid("seconds", seconds, "set it to 1 or more")]


def _check_http_get(action: core.HTTPGetAction) -> list[Cause]:
    found = [] if action.path else [required("path", "give the path to ask for")]
    found += check_port("port", action.port)
    if action.scheme not in _SCHEMES:
        found.append(not_supported("scheme", action.scheme, _SCHEMES))
    for header in action.http_headers:
        found += problems("httpHeaders", header.name, names.check_header_name(header.name))
    return found


def check_port(field: str, port: meta.IntOrString) -> list[Cause]:
    """Return what is wrong with a port given by number or by name."""
    if port.type == int_or_string.STRING:
        return problems(field, port.str_val, names.check_port_name(port.str_val))
    return problems(field, port.int_val, names.check_port_number(port.int_val))


def check_lifecycle(lifecycle: core.Lifecycle) -> list[Cause]:
    """Return what is wrong with the hooks of a container."""
    found: list[Cause] = []
    if lifecycle.HasField("post_start"):
        found += under("postStart", check_handler(lifecycle.post_start))
    if lifecycle.HasField("pre_stop"):
        found += under("preStop", check_handler(lifecycle.pre_stop))
    return found


def check_resize_policy(policy: core.ContainerResizePolicy) -> list[Cause]:
    """Return what is wrong with how a container takes a change of its resources."""
    found = one_of("resourceName", policy.resource_name, frozenset({"cpu", "memory"}))
    found += one_of("restartPolicy", policy.restart_policy, frozenset({"NotRequired", "RestartContainer"}))
    return found
