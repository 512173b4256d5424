"""One OpenAPI 3.0 document for each group and version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollplane_gateway.openapi.names import Json
from rollplane_gateway.openapi.paths import paths_of
from rollplane_gateway.openapi.schemas import Schemas
from rollplane_machinery.served import GroupVersion, Resource

TITLE = "Rollplane"


def specification(resources: Sequence[Resource], version: str, group_versions: Iterable[GroupVersion]) -> Json:
    """Return the document of ``resources``, as a plane of ``version`` serves them beside ``group_versions``."""
    schemas = Schemas(tuple(group_versions))
    paths = {path: item for each in resources for path, item in paths_of(each, schemas)}
    return {
        "openapi": "3.0.0",
        "info": {"title": TITLE, "version": version},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.by_name.items()))},
    }
