"""The core *is* an ``Api``: it decides what a write may do, and reads from a cache that follows the store's log."""

from rollplane_apiserver.core.core import Core
from rollplane_apiserver.core.identity import ADMIN, Identity, Role
from rollplane_apiserver.core.settings import CoreSettings

__all__ = ["ADMIN", "Core", "CoreSettings", "Identity", "Role"]
