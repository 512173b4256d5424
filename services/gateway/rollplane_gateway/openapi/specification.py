"""One OpenAPI 3.0 document for each group and version."""

from __future__ import annotations

from rollplane_gateway.openapi.names import Json
from rollplane_gateway.openapi.paths import paths_of
from rollplane_gateway.openapi.schemas import Schemas
from rollplane_machinery.served import GroupVersion, Served

TITLE = "Rollplane"


def specification(served: Served, group_version: GroupVersion, version: str) -> Json:
    """Return the document of ``group_version``, as a plane of ``version`` serves it."""
    schemas = Schemas(tuple(served.by_group_version))
    paths = {path: item for each in served.by_group_version[group_version] for path, item in paths_of(each, schemas)}
    return {
        "openapi": "3.0.0",
        "info": {"title": TITLE, "version": version},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.by_name.items()))},
    }
