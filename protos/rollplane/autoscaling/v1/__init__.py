"""Generated messages of rollplane.autoscaling.v1; see the .proto files beside this one."""

from rollplane.autoscaling.v1.scale_pb2 import (
    Scale as Scale,
    ScaleSpec as ScaleSpec,
    ScaleStatus as ScaleStatus,
)
