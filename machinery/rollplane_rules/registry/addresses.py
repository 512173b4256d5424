"""What Services are given, and must not share: cluster IPs and node ports.

An address or port that a Service holds is a *claim*, a short text. Claims are unique by the store's commit; what is
decided here is which ones a Service needs, keeps and may ask for. Pure: who holds what, and chance, are arguments.

Source of the order of things: kubernetes/kubernetes pkg/registry/core/service/storage (alloc.go, rest.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from rollplane.core.v1 import Service, ServicePort, ServiceSpec
from rollplane_machinery.errors import Cause
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.well_known import HEADLESS
from rollplane_rules.validation.causes import invalid

_ADDRESSED = frozenset({"ClusterIP", "NodePort", "LoadBalancer"})
_OUTSIDE = frozenset({"NodePort", "LoadBalancer"})
API_SERVICE = ("default", "kubernetes")
"""The Service of the apiserver itself: the first address of the range is kept for it."""

Address = IPv4Address | IPv6Address
IsFree = Callable[[str], bool]
"""Whether nobody else holds a claim."""
Choose = Callable[[int], int]
"""Return a number from 0 to below the one given, by chance."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Where addresses and node ports are taken from."""

    addresses: IPv4Network | IPv6Network
    ports: range

    @classmethod
    def parse(cls, addresses: str = "10.96.0.0/12", ports: str = "30000-32767") -> Ranges:
        """Return the ranges in ``10.96.0.0/12`` and ``30000-32767``; raises ValueError for what is none."""
        network = ip_network(addresses)
        first, _, last = ports.partition("-")
        found = range(int(first), int(last) + 1)
        if not 0 < found.start < found.stop <= 1 << 16:
            raise ValueError(f"{ports!r} is no range of ports")
        if network.num_addresses < _FEWEST:
            raise ValueError(f"{addresses} is too small a range of addresses")
        return cls(network, found)

    @property
    def family(self) -> str:
        """IPv4 or IPv6, as Services name it."""
        return f"IPv{self.addresses.version}"

    @property
    def api_address(self) -> Address:
        """The address of the Service ``kubernetes``."""
        return self.addresses[1]

    @property
    def usable(self) -> int:
        """How many addresses there are to give, at most 2^20: not the first, the last and that of ``kubernetes``."""
        return min(self.addresses.num_addresses - 3, 1 << 20)


_FEWEST = 8
DEFAULT_RANGES = Ranges.parse()


def claims_of(obj: ApiObject) -> frozenset[str]:
    """Return what ``obj`` holds that no other may hold; nothing but Services hold anything."""
    if not isinstance(obj, Service):
        return frozenset()
    addresses = (address for address in obj.spec.cluster_ips if address != HEADLESS)
    return frozenset([*map(_address_claim, addresses), *map(_port_claim, _ports_of(obj.spec))])


def _address_claim(address: str) -> str:
    try:
        return f"ip/{ip_address(address)}"
    except ValueError:
        return f"ip/{address}"  # stored before there were rules for it


def _port_claim(port: int) -> str:
    return f"port/{port}"


def _ports_of(spec: ServiceSpec) -> Iterable[int]:
    ports = [port.node_port for port in spec.ports]
    return filter(None, [*ports, spec.health_check_node_port])


def needs_address(spec: ServiceSpec) -> bool:
    """Return whether a Service of this type has a cluster IP, be it none."""
    return spec.type in _ADDRESSED


def needs_node_ports(spec: ServiceSpec) -> bool:
    """Return whether each port is to be had on every node as well."""
    if spec.type != "LoadBalancer":
        return spec.type == "NodePort"
    return spec.allocate_load_balancer_node_ports or not spec.HasField("allocate_load_balancer_node_ports")


def needs_health_port(spec: ServiceSpec) -> bool:
    """Return whether a load balancer asks each node for the pods it has."""
    return spec.type == "LoadBalancer" and spec.external_traffic_policy == "Local"


# What an update keeps


def keep_addresses(new: Service, old: Service) -> None:
    """Give ``new``, in place, what ``old`` holds and it needs but does not name; take what its type cannot have."""
    now, was = new.spec, old.spec
    _agree(now, was)
    if needs_address(now) and needs_address(was):
        _keep_address(now, was)
    _keep_ports(now, was)
    _drop(now, was)


def _agree(now: ServiceSpec, was: ServiceSpec) -> None:
    """The older field of the address leads where only it was changed."""
    unchanged = list(now.cluster_ips) == list(was.cluster_ips)
    if now.cluster_ip != was.cluster_ip and unchanged:
        del now.cluster_ips[:]
        if now.cluster_ip:
            now.cluster_ips.append(now.cluster_ip)


def _keep_address(now: ServiceSpec, was: ServiceSpec) -> None:
    if not now.cluster_ip and was.cluster_ip:
        now.cluster_ip = was.cluster_ip
    if not now.cluster_ips and now.cluster_ip == was.cluster_ip:
        now.cluster_ips.extend(was.cluster_ips)
    if not now.ip_families:
        now.ip_families.extend(was.ip_families)
    if not now.HasField("ip_family_policy") and was.HasField("ip_family_policy"):
        now.ip_family_policy = was.ip_family_policy


def _keep_ports(now: ServiceSpec, was: ServiceSpec) -> None:
    if needs_node_ports(now) and needs_node_ports(was):
        held = {(port.port, port.protocol): port.node_port for port in was.ports if port.node_port}
        named = {port.node_port for port in now.ports}
        for port in now.ports:
            kept = held.get((port.port, port.protocol), 0)
            if not port.node_port and kept and kept not in named:
                port.node_port = kept
    health_port = was.health_check_node_port
    if needs_health_port(now) and needs_health_port(was) and health_port and not now.health_check_node_port:
        now.health_check_node_port = health_port


def _drop(now: ServiceSpec, was: ServiceSpec) -> None:
    """What another type leaves behind goes, unless the client changed it, which is for validation to refuse."""
    if needs_address(was) and not needs_address(now):
        if now.cluster_ip == was.cluster_ip:
            now.ClearField("cluster_ip")
            del now.cluster_ips[:]
        if list(now.ip_families) == list(was.ip_families):
            del now.ip_families[:]
            now.ClearField("ip_family_policy")
    if needs_node_ports(was) and not needs_node_ports(now) and list(_ports_of(now)) == list(_ports_of(was)):
        for port in now.ports:
            port.ClearField("node_port")
    had_health_port = needs_health_port(was) and not needs_health_port(now)
    if had_health_port and now.health_check_node_port == was.health_check_node_port:
        now.ClearField("health_check_node_port")
    if was.type == "LoadBalancer" and now.type != "LoadBalancer":
        now.ClearField("allocate_load_balancer_node_ports")
    left_outside = was.type in _OUTSIDE and now.type not in _OUTSIDE
    if left_outside and now.external_traffic_policy == was.external_traffic_policy:
        now.ClearField("external_traffic_policy")


# What is given


@dataclass(frozen=True, slots=True)
class Giver:
    """Gives one Service what it lacks, of what ``is_free``; ``choose`` is chance, ``held`` what it has already."""

    ranges: Ranges
    is_free: IsFree
    choose: Choose
    held: frozenset[str] = frozenset()
    tells_families: bool = True

    def give(self, service: Service) -> list[Cause]:
        """Give ``service``, validated and with what it keeps, all it needs; in place.

        Returns what is wrong with the addresses and ports that it names itself. Raises LookupError, saying of what,
        when there is none left.
        """
        found = self._check_address(service.spec) + self._check_ports(service.spec)
        if found:
            return found
        if needs_address(service.spec):
            self._give_address(service)
            if self.tells_families:
                found = self._tell_families(service.spec)
        self._give_ports(service.spec)
        return found

    def _check_address(self, spec: ServiceSpec) -> list[Cause]:
        if spec.cluster_ip in ("", HEADLESS) or _address_claim(spec.cluster_ip) in self.held:
            return []
        why = f"failed to allocate IP {spec.cluster_ip}: "
        if ip_address(spec.cluster_ip) not in self.ranges.addresses:
            span = self.ranges.addresses
            why += f"the provided IP ({spec.cluster_ip}) is not in the valid range. The range of valid IPs is {span}"
            return [invalid("spec.clusterIPs", spec.cluster_ip, why)]
        if not self.is_free(_address_claim(spec.cluster_ip)):
            return [invalid("spec.clusterIPs", spec.cluster_ip, why + "provided IP is already allocated")]
        return []

    def _check_ports(self, spec: ServiceSpec) -> list[Cause]:
        found: list[Cause] = []
        for index, port in enumerate(spec.ports):
            found += self._check_port(f"spec.ports[{index}].nodePort", port.node_port)
        return found + self._check_port("spec.healthCheckNodePort", spec.health_check_node_port)

    def _check_port(self, field: str, port: int) -> list[Cause]:
        ports = self.ranges.ports
        if not port or _port_claim(port) in self.held:
            return []
        if port not in ports:
            span = f"{ports.start}-{ports.stop - 1}"
            why = f"provided port is not in the valid range. The range of valid ports is {span}"
            return [invalid(field, port, why)]
        is_free = self.is_free(_port_claim(port))
        return [] if is_free else [invalid(field, port, "provided port is already allocated")]

    def _give_address(self, service: Service) -> None:
        spec = service.spec
        if not spec.cluster_ip:
            spec.cluster_ip = str(self._address(service))
        if not spec.cluster_ips:
            spec.cluster_ips.append(spec.cluster_ip)

    def _address(self, service: Service) -> Address:
        """Return a free address, by chance; the first of the range is kept for the apiserver's own Service."""
        ranges = self.ranges
        is_own = (service.metadata.namespace, service.metadata.name) == API_SERVICE
        if is_own and self.is_free(_address_claim(str(ranges.api_address))):
            return ranges.api_address
        start = self.choose(ranges.usable)
        for step in range(ranges.usable):
            address = ranges.addresses[2 + (start + step) % ranges.usable]
            if self.is_free(_address_claim(str(address))):
                return address
        raise LookupError("failed to allocate a serviceIP: range is full")

    def _tell_families(self, spec: ServiceSpec) -> list[Cause]:
        """Every plane has one address family; a headless Service without selector may be told of in both."""
        own = self.ranges.family
        is_open = spec.cluster_ip == HEADLESS and not spec.selector
        if not spec.HasField("ip_family_policy"):
            spec.ip_family_policy = "RequireDualStack" if is_open and not spec.ip_families else "SingleStack"
        if spec.ip_family_policy == "RequireDualStack" and not is_open:
            why = "this cluster is not configured for dual-stack services"
            return [invalid("spec.ipFamilyPolicy", spec.ip_family_policy, why)]
        if not is_open and any(family != own for family in spec.ip_families):
            return [invalid("spec.ipFamilies[0]", spec.ip_families[0], "not configured on this cluster")]
        if not spec.ip_families:
            spec.ip_families.append(own)
        if is_open and spec.ip_family_policy != "SingleStack" and len(spec.ip_families) == 1:
            spec.ip_families.append("IPv4" if spec.ip_families[0] == "IPv6" else "IPv6")
        return []

    def _give_ports(self, spec: ServiceSpec) -> None:
        taken = set(_ports_of(spec))
        if needs_node_ports(spec):
            for port in spec.ports:
                if not port.node_port:
                    port.node_port = _shared(port, spec.ports) or self._port(taken)
                    taken.add(port.node_port)
        if needs_health_port(spec) and not spec.health_check_node_port:
            spec.health_check_node_port = self._port(taken)

    def _port(self, taken: set[int]) -> int:
        """Return a free port, by chance, that is not in ``taken``."""
        ports = self.ranges.ports
        start = self.choose(len(ports))
        for step in range(len(ports)):
            port = ports[(start + step) % len(ports)]
            if port not in taken and self.is_free(_port_claim(port)):
                return port
        raise LookupError("failed to allocate a nodePort: range is full")


def _shared(port: ServicePort, ports: Iterable[ServicePort]) -> int:
    """Return the node port of the same port for another protocol; 0 when there is none."""
    others = (each for each in ports if each.port == port.port and each.protocol != port.protocol)
    return next((each.node_port for each in others if each.node_port), 0)
