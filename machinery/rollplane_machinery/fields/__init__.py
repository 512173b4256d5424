"""Server-side apply: who owns which fields of an object, and what an applied configuration makes of it.

``ownership`` is the door: what becomes of the owners when an object is applied or written otherwise. Behind it sets of
fields (``sets``, ``elements``, ``fields_v1``), what a kind's fields are (``schema``), and the walks over documents:
``extraction``, ``comparison``, ``merging``, ``removal``.
"""

from rollplane_machinery.fields.configuration import Configuration, read_configuration, read_scale_configuration
from rollplane_machinery.fields.managers import Managers, is_reset, read_managers, written_managers
from rollplane_machinery.fields.ownership import Merged, Writer, apply_configuration, owners_after_update

__all__ = [
    "Configuration",
    "Managers",
    "Merged",
    "Writer",
    "apply_configuration",
    "is_reset",
    "owners_after_update",
    "read_configuration",
    "read_managers",
    "read_scale_configuration",
    "written_managers",
]
