"""In which form discovery is asked for."""

from __future__ import annotations

from rollplane_gateway.discovery.aggregated import VERSIONS

_PLAIN = ("application/json", "application/*", "*/*", "")


def aggregated_version(accept: str) -> str | None:
    """Return the version of the aggregated form that the header ``accept`` prefers, None for the plain form.

    The first entry that can be served decides. Where none can, the plain form is answered, as JSON that anybody reads.
    """
    for entry in accept.split(","):
        media_type, *parameters = (part.strip() for part in entry.split(";"))
        asked = dict(parameter.partition("=")[::2] for parameter in parameters)
        if "as" not in asked and media_type in _PLAIN:
            return None
        if _is_aggregated(media_type, asked):
            return asked["v"]
    return None


def _is_aggregated(media_type: str, asked: dict[str, str]) -> bool:
    named = (media_type, asked.get("g"), asked.get("as"))
    return named == ("application/json", "apidiscovery.k8s.io", "APIGroupDiscoveryList") and asked.get("v") in VERSIONS
