"""Image names: which are well formed, and which are missing by what they are called."""

from __future__ import annotations

import re

_DOMAIN = r"(?:(?:localhost|[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+|[a-zA-Z0-9-]+(?=:\d))(?::\d+)?/)?"
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_TAG = r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
_DIGEST = r"(?:@[A-Za-z][A-Za-z0-9]*:[0-9a-fA-F]{32,})?"
_REFERENCE = re.compile(_DOMAIN + rf"{_PART}(?:/{_PART})*" + _TAG + _DIGEST)
"""The grammar of distribution/reference, reference.go; one part less strict: a domain may hold any dashes."""

MISSING_TAG = "404"
MISSING_ENDING = "-missing"


def is_reference(image: str) -> bool:
    """Tell whether a container runtime could read the name at all."""
    return _REFERENCE.fullmatch(image) is not None


def is_missing_by_name(image: str) -> bool:
    """Tell whether the image's tag is ``404``, or its name, the tag aside, ends in ``-missing``."""
    if MISSING_TAG not in image and MISSING_ENDING not in image:
        return False
    name, colon, tag = image.partition("@")[0].rpartition(":")
    if not colon or "/" in tag:
        name, tag = image.partition("@")[0], ""
    return tag == MISSING_TAG or name.endswith(MISSING_ENDING)
