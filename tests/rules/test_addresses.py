"""What Services are given, keep, and may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import Service
from rollplane_machinery import codec
from rollplane_machinery.kinds import CONFIG_MAP
from rollplane_rules.defaults import apply_defaults
from rollplane_rules.registry.addresses import Giver, Ranges, claims_of, keep_addresses

SMALL = Ranges.parse("10.0.0.0/29", "30000-30003")
"""Addresses .2 to .6 to give, and four ports."""


def service(name: str = "web", **spec: Any) -> Service:
    made = codec.from_json({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec})
    assert isinstance(made, Service)
    made.metadata.namespace = "default"
    apply_defaults(made)
    return made


def ports(*numbers: int, **more: Any) -> list[dict[str, Any]]:
    return [{"name": f"p{number}", "port": number, **more} for number in numbers]


def giver(*taken: str, held: frozenset[str] = frozenset(), ranges: Ranges = SMALL, chance: int = 0) -> Giver:
    return Giver(ranges, lambda claim: claim not in taken, lambda below: min(chance, below - 1), held)


def shown(made: Service) -> dict[str, Any]:
    spec: dict[str, Any] = codec.message_to_json(made.spec)
    names = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
    return {name: spec[name] for name in names if name in spec}


SINGLE = {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
GIVEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "an address": ({"ports": ports(80)}, {"clusterIP": "10.0.0.2", "clusterIPs": ["10.0.0.2"], **SINGLE}),
    "its own address": (
        {"ports": ports(80), "clusterIP": "10.0.0.5"},
        {"clusterIP": "10.0.0.5", "clusterIPs": ["10.0.0.5"], **SINGLE},
    ),
    "headless": (
        {"clusterIP": "None", "selector": {"a": "b"}},
        {"clusterIP": "None", "clusterIPs": ["None"], **SINGLE},
    ),
    "headless for anybody": (
        {"clusterIP": "None"},
        {
            "clusterIP": "None",
            "clusterIPs": ["None"],
            "ipFamilies": ["IPv4", "IPv6"],
            "ipFamilyPolicy": "RequireDualStack",
        },
    ),
    "elsewhere": ({"type": "ExternalName", "externalName": "a.b"}, {}),
    "both families if possible": (
        {"ports": ports(80), "ipFamilyPolicy": "PreferDualStack"},
        {
            "clusterIP": "10.0.0.2",
            "clusterIPs": ["10.0.0.2"],
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "PreferDualStack",
        },
    ),
}


@pytest.mark.parametrize(("spec", "expected"), GIVEN.values(), ids=GIVEN)
def test_given(spec: dict[str, Any], expected: dict[str, Any]) -> None:
    made = service(**spec)
    assert giver().give(made) == []
    assert shown(made) == expected


def test_families_came_with_a_release() -> None:
    made = service(ports=ports(80))
    Giver(SMALL, lambda _: True, lambda _: 0, tells_families=False).give(made)
    assert shown(made) == {"clusterIP": "10.0.0.2", "clusterIPs": ["10.0.0.2"]}


def test_the_first_address_is_kept_for_the_apiserver() -> None:
    made = service("kubernetes", ports=ports(443))
    giver().give(made)
    assert made.spec.cluster_ip == "10.0.0.1"


def test_chance_goes_round_until_something_is_free() -> None:
    made = service(ports=ports(80))
    giver("ip/10.0.0.6", "ip/10.0.0.2", chance=4).give(made)
    assert made.spec.cluster_ip == "10.0.0.3"


def test_nothing_is_left() -> None:
    full = giver(*(f"ip/10.0.0.{number}" for number in range(8)))
    with pytest.raises(LookupError, match="serviceIP: range is full"):
        full.give(service(ports=ports(80)))
    full = giver(*(f"port/{number}" for number in range(30000, 30004)))
    with pytest.raises(LookupError, match="nodePort: range is full"):
        full.give(service(type="NodePort", ports=ports(80)))


def test_node_ports() -> None:
    made = service(type="NodePort", ports=ports(80, 81))
    giver("port/30000").give(made)
    assert [port.node_port for port in made.spec.ports] == [30001, 30002]
    assert claims_of(made) == {"ip/10.0.0.2", "port/30001", "port/30002"}


def test_one_node_port_for_all_protocols_of_a_port() -> None:
    both = [{"name": name, "port": 53, "protocol": name.upper()} for name in ("tcp", "udp")]
    made = service(type="NodePort", ports=both)
    giver().give(made)
    assert [port.node_port for port in made.spec.ports] == [30000, 30000]


def test_a_load_balancer() -> None:
    made = service(type="LoadBalancer", ports=ports(80), externalTrafficPolicy="Local")
    giver().give(made)
    assert (made.spec.ports[0].node_port, made.spec.health_check_node_port) == (30000, 30001)
    bare = service(type="LoadBalancer", ports=ports(80), allocateLoadBalancerNodePorts=False)
    giver().give(bare)
    assert bare.spec.ports[0].node_port == 0


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "taken address": (
        {"clusterIP": "10.0.0.4"},
        'spec.clusterIPs: invalid value "10.0.0.4": failed to allocate IP 10.0.0.4: provided IP is already allocated',
    ),
    "address out of range": (
        {"clusterIP": "10.0.1.4"},
        'spec.clusterIPs: invalid value "10.0.1.4": failed to allocate IP 10.0.1.4: the provided IP (10.0.1.4) is'
        " not in the valid range. The range of valid IPs is 10.0.0.0/29",
    ),
    "taken port": (
        {"type": "NodePort", "ports": ports(80, nodePort=30003)},
        "spec.ports[0].nodePort: invalid value 30003: provided port is already allocated",
    ),
    "port out of range": (
        {"type": "NodePort", "ports": ports(80, nodePort=80)},
        "spec.ports[0].nodePort: invalid value 80: provided port is not in the valid range. The range of valid ports"
        " is 30000-30003",
    ),
    "two families": (
        {"ipFamilyPolicy": "RequireDualStack"},
        'spec.ipFamilyPolicy: invalid value "RequireDualStack": this cluster is not configured for dual-stack services',
    ),
    "another family": (
        {"ipFamilies": ["IPv6"]},
        'spec.ipFamilies[0]: invalid value "IPv6": not configured on this cluster',
    ),
}


@pytest.mark.parametrize(("spec", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refused(spec: dict[str, Any], sentence: str) -> None:
    made = service(**{"ports": ports(80), **spec})
    causes = giver("ip/10.0.0.4", "port/30003").give(made)
    assert [str(cause) for cause in causes] == [sentence]


def test_what_is_held_is_not_asked_about() -> None:
    """It may lie outside of a range that was changed since."""
    made = service(type="NodePort", clusterIP="10.9.9.9", ports=ports(80, nodePort=99))
    assert giver(held=claims_of(made)).give(made) == []


def given(**spec: Any) -> Service:
    made = service(**spec)
    giver().give(made)
    return made


UPDATES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "nothing named": ({}, {}, {"clusterIP": "10.0.0.2"}),
    "the address cleared": ({}, {"clusterIP": ""}, {"clusterIP": "10.0.0.2"}),
    "another address": ({}, {"clusterIP": "10.0.0.5"}, {"clusterIP": "10.0.0.5"}),
    "node ports stay": ({"type": "NodePort"}, {"type": "NodePort"}, {"clusterIP": "10.0.0.2", "nodePort": 30000}),
    "node ports stay in a load balancer": (
        {"type": "NodePort"},
        {"type": "LoadBalancer"},
        {"clusterIP": "10.0.0.2", "nodePort": 30000},
    ),
    "node ports go": (
        {"type": "NodePort"},
        {"ports": ports(80, nodePort=30000)},
        {"clusterIP": "10.0.0.2"},
    ),
    "the address goes": (
        {},
        {"type": "ExternalName", "externalName": "a.b", "clusterIP": "10.0.0.2"},
        {},
    ),
}


@pytest.mark.parametrize(("was", "now", "expected"), UPDATES.values(), ids=UPDATES)
def test_updates(was: dict[str, Any], now: dict[str, Any], expected: dict[str, Any]) -> None:
    old, new = given(**{"ports": ports(80), **was}), service(**{"ports": ports(80), **now})
    keep_addresses(new, old)
    spec = codec.message_to_json(new.spec)
    found = {"clusterIP": spec.get("clusterIP"), "nodePort": spec["ports"][0].get("nodePort")}
    assert {name: value for name, value in found.items() if value} == expected
    assert list(new.spec.cluster_ips) == ([expected["clusterIP"]] if expected else [])


def test_the_health_port_of_a_load_balancer() -> None:
    local: dict[str, Any] = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": ports(80)}
    old = given(**local)
    kept = service(**local)
    keep_addresses(kept, old)
    assert kept.spec.health_check_node_port == old.spec.health_check_node_port > 0
    gone = service(**{**local, "externalTrafficPolicy": "Cluster"})
    gone.spec.health_check_node_port = old.spec.health_check_node_port
    keep_addresses(gone, old)
    assert gone.spec.health_check_node_port == 0


def test_the_policy_of_outside_traffic_goes_with_it() -> None:
    old, new = given(type="NodePort", ports=ports(80)), service(ports=ports(80))
    new.spec.external_traffic_policy = old.spec.external_traffic_policy
    keep_addresses(new, old)
    assert old.spec.external_traffic_policy == "Cluster"
    assert not new.spec.HasField("external_traffic_policy")


def test_a_port_that_moves_takes_no_other_ones_node_port() -> None:
    old = given(type="NodePort", ports=ports(80, 81))
    new = service(type="NodePort", ports=[*ports(80), *ports(82, nodePort=30000)])
    keep_addresses(new, old)
    assert [port.node_port for port in new.spec.ports] == [0, 30000]


def test_families_are_kept() -> None:
    old, new = given(ports=ports(80)), service(ports=ports(80))
    keep_addresses(new, old)
    assert shown(new) == shown(old)


def test_the_same_address_is_the_same_claim_however_it_is_written() -> None:
    long, short = service(clusterIP="fd00:0:0::1", ports=ports(80)), service(clusterIP="fd00::1", ports=ports(80))
    assert claims_of(long) == claims_of(short) == {"ip/fd00::1"}
    assert claims_of(service(clusterIP="None")) == frozenset()
    assert claims_of(CONFIG_MAP.new()) == frozenset()


def test_ranges() -> None:
    wide = Ranges.parse()
    assert (str(wide.api_address), wide.family, wide.usable) == ("10.96.0.1", "IPv4", 2**20 - 3)
    assert (wide.ports.start, wide.ports.stop) == (30000, 32768)
    assert Ranges.parse("fd00::/108").usable == 2**20 - 3
    assert Ranges.parse("fd00::/64").family == "IPv6"


@pytest.mark.parametrize(
    ("addresses", "numbers"),
    [("10.0.0.1/29", "1-2"), ("x", "1-2"), ("10.0.0.0/30", "1-2"), ("10.0.0.0/29", "2-1"), ("10.0.0.0/29", "1-70000")],
)
def test_what_is_no_range(addresses: str, numbers: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Ranges.parse(addresses, numbers)
