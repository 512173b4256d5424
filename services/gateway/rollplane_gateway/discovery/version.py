"""What ``/version`` tells: the release that is behaved as, and that it is not the original."""

from __future__ import annotations

import platform
import sys

from rollplane_machinery.releases import Release

_BUILD = "rollplane"
"""Build metadata of the version, as distributions have it: comparisons and constraints of charts pass over it."""


def version(release: Release) -> dict[str, str]:
    """Return the version's parts; what only a Go program has is told as ours."""
    major, minor, *_ = release.version.removeprefix("v").split(".")
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"{release.version}+{_BUILD}",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"{sys.platform}/{_ARCHITECTURES.get(platform.machine(), platform.machine())}",
    }


_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
