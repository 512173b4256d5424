"""Patches: JSON patch (RFC 6902), JSON merge patch (RFC 7386) and Kubernetes' strategic merge patch.

``apply`` patches an object; the three algorithms work on plain JSON values and change none of their arguments.
``three_way_merge`` computes the patch that ``apply`` of a manifest sends.
"""

from rollplane_machinery.patch.apply import Patched, apply, patched
from rollplane_machinery.patch.json_patch import json_patch
from rollplane_machinery.patch.merge_patch import merge_patch
from rollplane_machinery.patch.strategic import strategic_merge_patch
from rollplane_machinery.patch.three_way import three_way_merge

__all__ = ["Patched", "apply", "json_patch", "merge_patch", "patched", "strategic_merge_patch", "three_way_merge"]
