"""Generated messages of rollplane.stored.v1; see the .proto files beside this one."""

from rollplane.stored.v1.stored_object_pb2 import (
    AnyValue as AnyValue,
    CustomType as CustomType,
    StoredObject as StoredObject,
    StoredObjectList as StoredObjectList,
)
