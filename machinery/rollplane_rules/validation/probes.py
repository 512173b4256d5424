"""Probes and hooks: what is asked of a container while it runs, or run when it starts and stops."""

from __future__ import annotations

from types import MappingProxyType

from rollplane.core import v1 as core
from rollplane.meta import v1 as meta
from rollplane_machinery import int_or_string, names
from rollplane_machinery.errors import Cause
from rollplane_rules.validation.causes import (
    forbidden,
    invalid,
    not_negative,
    not_supported,
    one_of,
    problems,
    required,
    under,
)
from rollplane_rules.validation.parts import checks_of

_SCHEMES = frozenset({"HTTP", "HTTPS"})


def check_liveness(probe: core.Probe) -> list[Cause]:
    """Return what is wrong with a liveness or startup probe, for which one success is enough."""
    found = _check_probe(probe)
    if probe.success_threshold != 1:
        found.append(invalid("successThreshold", probe.success_threshold, "set it to 1"))
    if probe.HasField("termination_grace_period_seconds") and probe.termination_grace_period_seconds <= 0:
        seconds = probe.termination_grace_period_seconds
        found.append(invalid("terminationGracePeriodSeconds", seconds, "set it to 1 or more"))
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
    delay, timeout, period = probe.initial_delay_seconds, probe.timeout_seconds, probe.period_seconds
    successes, failures = probe.success_threshold, probe.failure_threshold
    if min(delay, timeout, period, successes, failures) < 0:
        found += not_negative("initialDelaySeconds", delay)
        found += not_negative("timeoutSeconds", timeout)
        found += not_negative("periodSeconds", period)
        found += not_negative("successThreshold", successes)
        found += not_negative("failureThreshold", failures)
    return found


def check_handler(handler: core.ProbeHandler | core.LifecycleHandler) -> list[Cause]:
    """Return what is wrong with a handler: exactly one action, and that one well formed."""
    present = handler.ListFields()
    if not present:
        return [required("", "give a handler: exec, httpGet, tcpSocket, …")]
    field, action = present[0]
    found = under(field.json_name, causes) if (causes := _ACTIONS[field](action)) else []
    for other, _ in present[1:]:
        found.append(forbidden(other.json_name, f"keep one handler, {field.json_name} is there already"))
    return found


def _check_exec(action: core.ExecAction) -> list[Cause]:
    return [] if action.command else [required("command", "give the command to run")]


def _check_tcp_socket(action: core.TCPSocketAction) -> list[Cause]:
    return check_port("port", action.port)


def _check_grpc(action: core.GRPCAction) -> list[Cause]:
    return problems("port", action.port, names.check_port_number(action.port))


def _check_sleep(action: core.SleepAction) -> list[Cause]:
    return [] if action.seconds > 0 else [invalid("seconds", action.seconds, "set it to 1 or more")]


def _check_http_get(action: core.HTTPGetAction) -> list[Cause]:
    found = [] if action.path else [required("path", "give the path to ask for")]
    found += check_port("port", action.port)
    if action.scheme not in _SCHEMES:
        found.append(not_supported("scheme", action.scheme, _SCHEMES))
    for header in action.http_headers or ():
        found += problems("httpHeaders", header.name, names.check_header_name(header.name))
    return found


def check_port(field: str, port: meta.IntOrString) -> list[Cause]:
    """Return what is wrong with a port given by number or by name."""
    value = port.str_val if port.type == int_or_string.STRING else port.int_val
    sentences = names.check_port_name(value) if isinstance(value, str) else names.check_port_number(value)
    return problems(field, value, sentences) if sentences else []


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


_ACTIONS = MappingProxyType(
    {
        **checks_of(
            core.ProbeHandler,
            core.LifecycleHandler,
            exec=_check_exec,
            http_get=_check_http_get,
            tcp_socket=_check_tcp_socket,
        ),
        **checks_of(core.ProbeHandler, grpc=_check_grpc),
        **checks_of(core.LifecycleHandler, sleep=_check_sleep),
    }
)
