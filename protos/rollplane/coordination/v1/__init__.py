"""Generated messages of rollplane.coordination.v1; see the .proto files beside this one."""

from rollplane.coordination.v1.lease_pb2 import (
    Lease as Lease,
    LeaseList as LeaseList,
    LeaseSpec as LeaseSpec,
)
