"""Server reflection, v1 and v1alpha: what grpcurl and friends need to call us without our .proto files.

grpcio-reflection knows v1alpha only. v1 is the same protocol under another package name, so v1's descriptor is made
from v1alpha's, and one servicer answers both. The pool it answers from is ours, not protobuf's global one: it holds our
services, the messages of every kind (they travel in Any, so no service refers to them) and the error details.
"""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from rollplane.api.v1 import object_service_pb2, rollout_service_pb2
from rollplane.meta.v1 import Status as ObjectStatus
from rollplane_apiserver.rpc.aside import placed
from rollplane_machinery.kinds import KINDS
from rollplane_service.admission import Admission

V1ALPHA = "grpc.reflection.v1alpha.ServerReflection"
V1 = "grpc.reflection.v1.ServerReflection"


def reflection_handlers(services: Iterable[str], admission: Admission) -> tuple[grpc.GenericRpcHandler, ...]:
    """Return the handlers of both versions; they list ``services`` and themselves, in places of ``admission``."""
    names = (*services, V1, V1ALPHA)
    servicer = reflection.aio.ReflectionServicer(names, pool=_pool())  # type: ignore[no-untyped-call]
    method = grpc.stream_stream_rpc_method_handler(
        placed(admission, servicer.ServerReflectionInfo),
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    return tuple(grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": method}) for name in (V1, V1ALPHA))


def _pool() -> descriptor_pool.DescriptorPool:
    pool, added = descriptor_pool.DescriptorPool(), set[str]()
    for file in _files():
        _add(pool, file, added)
    pool.Add(_reflection_v1())
    return pool


def _files() -> Iterable[FileDescriptor]:
    yield object_service_pb2.DESCRIPTOR
    yield rollout_service_pb2.DESCRIPTOR
    yield health_pb2.DESCRIPTOR
    yield reflection_pb2.DESCRIPTOR
    yield error_details_pb2.DESCRIPTOR
    yield ObjectStatus.DESCRIPTOR.file
    yield from {kind.message.DESCRIPTOR.file.name: kind.message.DESCRIPTOR.file for kind in KINDS}.values()


def _add(pool: descriptor_pool.DescriptorPool, file: FileDescriptor, added: set[str]) -> None:
    """Add ``file`` to ``pool`` behind everything it imports."""
    if file.name in added:
        return
    added.add(file.name)
    for imported in file.dependencies:
        _add(pool, imported, added)
    pool.AddSerializedFile(file.serialized_pb)


def _reflection_v1() -> descriptor_pb2.FileDescriptorProto:
    proto = descriptor_pb2.FileDescriptorProto.FromString(reflection_pb2.DESCRIPTOR.serialized_pb)
    proto.name = "grpc/reflection/v1/reflection.proto"
    proto.package = "grpc.reflection.v1"
    for message in proto.message_type:
        for field in message.field:
            if field.HasField("type_name"):
                field.type_name = field.type_name.replace(".v1alpha.", ".v1.")
    for method in proto.service[0].method:
        method.input_type = method.input_type.replace(".v1alpha.", ".v1.")
        method.output_type = method.output_type.replace(".v1alpha.", ".v1.")
    return proto
