"""``meta.k8s.io`` Tables: what ``kubectl get`` shows, made where the objects are."""

from rollplane_gateway.tables.form import (
    TABLE_VERSIONS,
    Embed,
    IncludeObject,
    TableForm,
    embed_nothing,
    include_object_of,
)
from rollplane_gateway.tables.rendering import object_table, page_table, scale_table

__all__ = [
    "TABLE_VERSIONS",
    "Embed",
    "IncludeObject",
    "TableForm",
    "embed_nothing",
    "include_object_of",
    "object_table",
    "page_table",
    "scale_table",
]
