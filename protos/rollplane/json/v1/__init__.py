"""Generated messages of rollplane.json.v1; see the .proto files beside this one."""

from rollplane.json.v1.options_pb2 import (
    Emit as Emit,
    emit as emit,
    inline as inline,
    type_meta as type_meta,
)
