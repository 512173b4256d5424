"""The codec: objects as Kubernetes JSON and YAML, and back.

``to_json`` and ``from_json`` are for whole objects, ``to_json_in`` shows them in another API version,
``message_to_json`` and ``message_from_json`` are for parts;
``load_manifests`` reads files, ``dumps`` and ``dump_yaml`` print.
"""

from rollplane_machinery.codec.manifests import (
    Loaded,
    Manifest,
    ManifestError,
    ManifestProblem,
    load_manifests,
    read_manifests,
)
from rollplane_machinery.codec.objects import (
    Decoded,
    Understood,
    decode,
    dumps,
    from_json,
    message_and_left_out,
    message_from_json,
    message_to_json,
    to_json,
    to_json_in,
    understand,
)
from rollplane_machinery.codec.sent import Sent, read_sent
from rollplane_machinery.codec.yaml_text import dump_yaml

__all__ = [
    "Decoded",
    "Loaded",
    "Manifest",
    "ManifestError",
    "ManifestProblem",
    "Sent",
    "Understood",
    "decode",
    "dump_yaml",
    "dumps",
    "from_json",
    "load_manifests",
    "message_and_left_out",
    "message_from_json",
    "message_to_json",
    "read_manifests",
    "read_sent",
    "to_json",
    "to_json_in",
    "understand",
]
