"""Generated messages of rollplane.apps.v1; see the .proto files beside this one."""

from rollplane.apps.v1.controller_revision_pb2 import (
    ControllerRevision as ControllerRevision,
    ControllerRevisionList as ControllerRevisionList,
)
from rollplane.apps.v1.daemon_set_pb2 import (
    DaemonSet as DaemonSet,
    DaemonSetCondition as DaemonSetCondition,
    DaemonSetList as DaemonSetList,
    DaemonSetSpec as DaemonSetSpec,
    DaemonSetStatus as DaemonSetStatus,
    DaemonSetUpdateStrategy as DaemonSetUpdateStrategy,
    RollingUpdateDaemonSet as RollingUpdateDaemonSet,
)
from rollplane.apps.v1.deployment_pb2 import (
    Deployment as Deployment,
    DeploymentCondition as DeploymentCondition,
    DeploymentList as DeploymentList,
    DeploymentSpec as DeploymentSpec,
    DeploymentStatus as DeploymentStatus,
    DeploymentStrategy as DeploymentStrategy,
    RollingUpdateDeployment as RollingUpdateDeployment,
)
from rollplane.apps.v1.replica_set_pb2 import (
    ReplicaSet as ReplicaSet,
    ReplicaSetCondition as ReplicaSetCondition,
    ReplicaSetList as ReplicaSetList,
    ReplicaSetSpec as ReplicaSetSpec,
    ReplicaSetStatus as ReplicaSetStatus,
)
from rollplane.apps.v1.stateful_set_pb2 import (
    RollingUpdateStatefulSetStrategy as RollingUpdateStatefulSetStrategy,
    StatefulSet as StatefulSet,
    StatefulSetCondition as StatefulSetCondition,
    StatefulSetList as StatefulSetList,
    StatefulSetOrdinals as StatefulSetOrdinals,
    StatefulSetPersistentVolumeClaimRetentionPolicy as StatefulSetPersistentVolumeClaimRetentionPolicy,
    StatefulSetSpec as StatefulSetSpec,
    StatefulSetStatus as StatefulSetStatus,
    StatefulSetUpdateStrategy as StatefulSetUpdateStrategy,
)
