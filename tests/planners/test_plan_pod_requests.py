"""What a pod asks of its node: docs/semantics/pod-lifecycle.md section 2, by the cases of Kubernetes' podrequests."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Container, ContainerPort, PodSpec, ResourceRequirements
from rollplane.meta.v1 import Quantity
from rollplane_planners.scheduling.demand import host_ports_of, requests_of
from rollplane_planners.scheduling.resources import Resources


def container(cores: int, name: str = "c", *, sidecar: bool = False) -> Container:
    resources = ResourceRequirements(requests={"cpu": Quantity(string=str(cores))})
    return Container(name=name, resources=resources, restart_policy="Always" if sidecar else None)


def sidecar(cores: int) -> Container:
    return container(cores, sidecar=True)


PODS: dict[str, tuple[list[Container], list[Container], int]] = {
    "containers alone": ([], [container(1), container(2)], 3),
    "an init container that asks for less": ([container(1)], [container(2)], 2),
    "an init container that asks for more": ([container(5)], [container(2)], 5),
    "the largest of several init containers": ([container(3), container(5), container(1)], [container(2)], 5),
    "a sidecar is summed with the containers": ([sidecar(1)], [container(2)], 3),
    "several sidecars": ([sidecar(1), sidecar(2)], [container(1), container(1)], 5),
    "an init container behind a sidecar runs beside it": ([sidecar(2), container(5)], [container(1)], 7),
    "an init container before a sidecar runs alone": ([container(5), sidecar(2)], [container(1)], 5),
    "between sidecars": ([sidecar(2), container(4), sidecar(3)], [container(1)], 6),
    "after two sidecars": ([sidecar(2), sidecar(3), container(4)], [container(1)], 9),
    "sidecars alone outdo a large init container": ([container(5), sidecar(4)], [container(4)], 8),
}


@pytest.mark.parametrize(("inits", "containers", "cores"), PODS.values(), ids=PODS)
def test_pod_requests(inits: list[Container], containers: list[Container], cores: int) -> None:
    spec = PodSpec(init_containers=inits, containers=containers)
    assert requests_of(spec) == Resources(cpu=cores * 1000)


def test_overhead_comes_on_top() -> None:
    spec = PodSpec(init_containers=[sidecar(1)], containers=[container(1)], overhead={"memory": Quantity(string="1Ki")})
    assert requests_of(spec) == Resources(2_000, 1024)


def test_ports_of_sidecars_are_taken_those_of_other_init_containers_are_not() -> None:
    inits = [sidecar(1), container(1)]
    for number, one in enumerate(inits):
        one.ports.append(ContainerPort(host_port=8080 + number))
    spec = PodSpec(init_containers=inits, containers=[container(1)])
    assert host_ports_of(spec) == {("TCP", 8080, "")}
