"""Pod specs: each rule with a spec that breaks it, and specs that break none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.machinery.samples import container, pod, refused, workload

Refusals = list[tuple[str, str]]


def _env(**source: Any) -> dict[str, Any]:
    return container(env=[{"name": "N", **source}])


def _volume(**source: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "v", **source}]}


def _mount(**fields: Any) -> dict[str, Any]:
    return {**_volume(emptyDir={}), **container(volumeMounts=[{"name": "v", "mountPath": "/v", **fields}])}


def _probe(**fields: Any) -> dict[str, Any]:
    return container(livenessProbe={"exec": {"command": ["x"]}, **fields})


def _resources(**fields: Any) -> dict[str, Any]:
    return container(resources=fields)


def _init(**fields: Any) -> dict[str, Any]:
    return {**container(), "initContainers": [{"name": "i", "image": "x", **fields}]}


C0 = "containers[0]"
LONG = "a" * 64
EXEC = {"exec": {"command": ["x"]}}

CONTAINERS: dict[str, tuple[dict[str, Any], Refusals]] = {
    "none": ({"containers": []}, [("Required", "containers")]),
    "no name": (container(name=""), [("Required", f"{C0}.name")]),
    "bad name": (container(name="Web"), [("Invalid", f"{C0}.name")]),
    "long name": (container(name=LONG), [("Invalid", f"{C0}.name")]),
    "no image": (container(image=""), [("Required", f"{C0}.image")]),
    "pull policy": (container(imagePullPolicy="Sometimes"), [("NotSupported", f"{C0}.imagePullPolicy")]),
    "message policy": (container(terminationMessagePolicy="X"), [("NotSupported", f"{C0}.terminationMessagePolicy")]),
    "same name": (
        {"containers": [{"name": "c", "image": "x"}, {"name": "c", "image": "x"}]},
        [("Duplicate", "containers[1].name")],
    ),
    "same name in init": (
        {**container(), "initContainers": [{"name": "c", "image": "x"}]},
        [("Duplicate", "initContainers[0].name")],
    ),
    "own restart policy": (container(restartPolicy="Always"), [("Forbidden", f"{C0}.restartPolicy")]),
    "init restart policy": (_init(restartPolicy="Never"), [("NotSupported", "initContainers[0].restartPolicy")]),
    "init with hooks": (
        _init(lifecycle={"preStop": EXEC}, livenessProbe=EXEC, readinessProbe=EXEC, startupProbe=EXEC),
        [
            ("Forbidden", f"initContainers[0].{field}")
            for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
        ],
    ),
    "sidecar with hooks": (_init(restartPolicy="Always", readinessProbe=EXEC), []),
    "resize policy": (
        container(resizePolicy=[{"resourceName": "disk", "restartPolicy": "X"}]),
        [
            ("NotSupported", f"{C0}.resizePolicy[0].resourceName"),
            ("NotSupported", f"{C0}.resizePolicy[0].restartPolicy"),
        ],
    ),
}

PORTS: dict[str, tuple[dict[str, Any], Refusals]] = {
    "no port": (container(ports=[{}]), [("Required", f"{C0}.ports[0].containerPort")]),
    "port range": (container(ports=[{"containerPort": 65536}]), [("Invalid", f"{C0}.ports[0].containerPort")]),
    "host port range": (
        container(ports=[{"containerPort": 1, "hostPort": -1}]),
        [("Invalid", f"{C0}.ports[0].hostPort")],
    ),
    "name": (container(ports=[{"containerPort": 1, "name": "a" * 16}]), [("Invalid", f"{C0}.ports[0].name")]),
    "same name": (
        container(ports=[{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]),
        [("Duplicate", f"{C0}.ports[1].name")],
    ),
    "protocol": (
        container(ports=[{"containerPort": 1, "protocol": "ICMP"}]),
        [("NotSupported", f"{C0}.ports[0].protocol")],
    ),
    "same host port": (
        container(ports=[{"containerPort": 1, "hostPort": 9}, {"containerPort": 2, "hostPort": 9}]),
        [("Duplicate", f"{C0}.ports[1].hostPort")],
    ),
    "same host port in another container": (
        {
            "containers": [
                {"name": name, "image": "x", "ports": [{"containerPort": 1, "hostPort": 9}]} for name in ("a", "b")
            ]
        },
        [("Duplicate", "containers[1].ports[0].hostPort")],
    ),
    "same host port, other protocol": (
        container(ports=[{"containerPort": 1, "hostPort": 9}, {"containerPort": 2, "hostPort": 9, "protocol": "UDP"}]),
        [],
    ),
    "host network, other port": (
        {**container(ports=[{"containerPort": 1, "hostPort": 9}]), "hostNetwork": True},
        [("Invalid", f"{C0}.ports[0].containerPort")],
    ),
}

ENV: dict[str, tuple[dict[str, Any], Refusals]] = {
    "no name": (container(env=[{"name": ""}]), [("Required", f"{C0}.env[0].name")]),
    "name": (container(env=[{"name": "A=B"}]), [("Invalid", f"{C0}.env[0].name")]),
    "no source": (_env(valueFrom={}), [("Invalid", f"{C0}.env[0].valueFrom")]),
    "value and source": (
        _env(value="x", valueFrom={"fieldRef": {"fieldPath": "metadata.name"}}),
        [("Invalid", f"{C0}.env[0].valueFrom")],
    ),
    "two sources": (
        _env(
            valueFrom={
                "fieldRef": {"fieldPath": "metadata.name"},
                "secretKeyRef": {"name": "s", "key": "k"},
            }
        ),
        [("Invalid", f"{C0}.env[0].valueFrom")],
    ),
    "no field": (_env(valueFrom={"fieldRef": {}}), [("Required", f"{C0}.env[0].valueFrom.fieldRef.fieldPath")]),
    "unknown field": (
        _env(valueFrom={"fieldRef": {"fieldPath": "spec.volumes"}}),
        [("Invalid", f"{C0}.env[0].valueFrom.fieldRef.fieldPath")],
    ),
    "field of no use here": (
        _env(valueFrom={"fieldRef": {"fieldPath": "metadata.labels"}}),
        [("NotSupported", f"{C0}.env[0].valueFrom.fieldRef.fieldPath")],
    ),
    "one label": (_env(valueFrom={"fieldRef": {"fieldPath": "metadata.labels['app']"}}), []),
    "one annotation": (_env(valueFrom={"fieldRef": {"fieldPath": "metadata.annotations['Example.com/x']"}}), []),
    "one bad label": (
        _env(valueFrom={"fieldRef": {"fieldPath": "metadata.labels['a b']"}}),
        [("Invalid", f"{C0}.env[0].valueFrom.fieldRef.fieldPath")],
    ),
    "no resource": (
        _env(valueFrom={"resourceFieldRef": {}}),
        [("Required", f"{C0}.env[0].valueFrom.resourceFieldRef.resource")],
    ),
    "resource": (
        _env(valueFrom={"resourceFieldRef": {"resource": "limits.disk"}}),
        [("NotSupported", f"{C0}.env[0].valueFrom.resourceFieldRef.resource")],
    ),
    "key reference": (
        _env(valueFrom={"configMapKeyRef": {"name": "A B"}}),
        [
            ("Invalid", f"{C0}.env[0].valueFrom.configMapKeyRef.name"),
            ("Required", f"{C0}.env[0].valueFrom.configMapKeyRef.key"),
        ],
    ),
    "secret key": (
        _env(valueFrom={"secretKeyRef": {"name": "s", "key": "a/b"}}),
        [("Invalid", f"{C0}.env[0].valueFrom.secretKeyRef.key")],
    ),
    "file key": (
        _env(valueFrom={"fileKeyRef": {"volumeName": "v", "path": "p"}}),
        [("Required", f"{C0}.env[0].valueFrom.fileKeyRef.key")],
    ),
    "many: prefix": (
        container(envFrom=[{"prefix": "A=", "configMapRef": {"name": "c"}}]),
        [("Invalid", f"{C0}.envFrom[0].prefix")],
    ),
    "many: no source": (container(envFrom=[{}]), [("Invalid", f"{C0}.envFrom[0]")]),
    "many: two sources": (
        container(envFrom=[{"configMapRef": {"name": "c"}, "secretRef": {"name": "s"}}]),
        [("Invalid", f"{C0}.envFrom[0]")],
    ),
    "many: no name": (container(envFrom=[{"secretRef": {}}]), [("Required", f"{C0}.envFrom[0].secretRef.name")]),
    "many: name": (
        container(envFrom=[{"configMapRef": {"name": "A"}}]),
        [("Invalid", f"{C0}.envFrom[0].configMapRef.name")],
    ),
}

PROBES: dict[str, tuple[dict[str, Any], Refusals]] = {
    "no handler": (container(livenessProbe={}), [("Required", f"{C0}.livenessProbe")]),
    "three handlers": (
        _probe(httpGet={"port": 1}, tcpSocket={"port": 1}),
        [("Forbidden", f"{C0}.livenessProbe.httpGet"), ("Forbidden", f"{C0}.livenessProbe.tcpSocket")],
    ),
    "no command": (container(livenessProbe={"exec": {}}), [("Required", f"{C0}.livenessProbe.exec.command")]),
    "port": (container(livenessProbe={"tcpSocket": {"port": 0}}), [("Invalid", f"{C0}.livenessProbe.tcpSocket.port")]),
    "port name": (
        container(livenessProbe={"tcpSocket": {"port": "Web"}}),
        [("Invalid", f"{C0}.livenessProbe.tcpSocket.port")],
    ),
    "grpc port": (container(livenessProbe={"grpc": {"port": 0}}), [("Invalid", f"{C0}.livenessProbe.grpc.port")]),
    "scheme": (
        container(livenessProbe={"httpGet": {"port": 1, "scheme": "FTP"}}),
        [("NotSupported", f"{C0}.livenessProbe.httpGet.scheme")],
    ),
    "header": (
        container(livenessProbe={"httpGet": {"port": 1, "httpHeaders": [{"name": "a b", "value": ""}]}}),
        [("Invalid", f"{C0}.livenessProbe.httpGet.httpHeaders")],
    ),
    "delay": (_probe(initialDelaySeconds=-1), [("Invalid", f"{C0}.livenessProbe.initialDelaySeconds")]),
    "timeout": (_probe(timeoutSeconds=-1), [("Invalid", f"{C0}.livenessProbe.timeoutSeconds")]),
    "period": (_probe(periodSeconds=-1), [("Invalid", f"{C0}.livenessProbe.periodSeconds")]),
    "failures": (_probe(failureThreshold=-1), [("Invalid", f"{C0}.livenessProbe.failureThreshold")]),
    "successes": (_probe(successThreshold=2), [("Invalid", f"{C0}.livenessProbe.successThreshold")]),
    "startup successes": (
        container(startupProbe={**EXEC, "successThreshold": 2}),
        [("Invalid", f"{C0}.startupProbe.successThreshold")],
    ),
    "readiness successes": (container(readinessProbe={**EXEC, "successThreshold": 2}), []),
    "grace": (
        _probe(terminationGracePeriodSeconds=0),
        [("Invalid", f"{C0}.livenessProbe.terminationGracePeriodSeconds")],
    ),
    "readiness grace": (
        container(readinessProbe={**EXEC, "terminationGracePeriodSeconds": 5}),
        [("Invalid", f"{C0}.readinessProbe.terminationGracePeriodSeconds")],
    ),
    "hook": (
        container(lifecycle={"postStart": {}, "preStop": {"sleep": {"seconds": 0}}}),
        [("Required", f"{C0}.lifecycle.postStart"), ("Invalid", f"{C0}.lifecycle.preStop.sleep.seconds")],
    ),
}


def _both(amounts: dict[str, str]) -> dict[str, Any]:
    return _resources(limits=amounts, requests=amounts)


def _in_both(name: str) -> Refusals:
    return [("Invalid", f"{C0}.resources.{side}[{name}]") for side in ("limits", "requests")]


RESOURCES: dict[str, tuple[dict[str, Any], Refusals]] = {
    "request above limit": (
        _resources(limits={"cpu": "1"}, requests={"cpu": "1001m"}),
        [("Invalid", f"{C0}.resources.requests")],
    ),
    "negative": (_resources(requests={"cpu": "-1"}), [("Invalid", f"{C0}.resources.requests[cpu]")]),
    "unknown name": (_both({"disk": "1"}), _in_both("disk")),
    "name": (_both({"example.com/a b": "1"}), _in_both("example.com/a b")),
    "reserved name": (_both({"requests.example.com/gpu": "1"}), _in_both("requests.example.com/gpu")),
    "half a device": (_both({"example.com/gpu": "500m"}), _in_both("example.com/gpu")),
    "device": (_resources(limits={"example.com/gpu": "2"}), []),
    "overcommitted device": (
        {
            "containers": [
                {
                    "name": "c",
                    "image": "x",
                    "resources": {"limits": {"example.com/gpu": "2"}, "requests": {"example.com/gpu": "1"}},
                }
            ]
        },
        [("Invalid", f"{C0}.resources.requests")],
    ),
    "huge pages alone": (_resources(limits={"hugepages-2Mi": "4Mi"}), [("Forbidden", f"{C0}.resources")]),
    "huge pages": (_resources(limits={"hugepages-2Mi": "4Mi", "memory": "1Gi"}), []),
    "unlimited huge pages": (
        _resources(requests={"hugepages-2Mi": "4Mi", "cpu": "1"}),
        [("Required", f"{C0}.resources.limits")],
    ),
    "overhead": ({"overhead": {"cpu": "-1"}}, [("Invalid", "overhead[cpu]")]),
}

VOLUMES: dict[str, tuple[dict[str, Any], Refusals]] = {
    "no name": ({"volumes": [{"emptyDir": {}}]}, [("Required", "volumes[0].name")]),
    "name": ({"volumes": [{"name": "V", "emptyDir": {}}]}, [("Invalid", "volumes[0].name")]),
    "same name": (
        {"volumes": [{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}]},
        [("Duplicate", "volumes[1].name")],
    ),
    "two sources": (_volume(emptyDir={}, hostPath={"path": "/x"}), [("Forbidden", "volumes[0].emptyDir")]),
    "secret": (_volume(secret={}), [("Required", "volumes[0].secret.secretName")]),
    "secret mode": (
        _volume(secret={"secretName": "s", "defaultMode": 512}),
        [("Invalid", "volumes[0].secret.defaultMode")],
    ),
    "secret file": (
        _volume(secret={"secretName": "s", "items": [{"key": "", "path": "/a", "mode": -1}]}),
        [
            ("Required", "volumes[0].secret.items[0].key"),
            ("Invalid", "volumes[0].secret.items[0].path"),
            ("Invalid", "volumes[0].secret.items[0].mode"),
        ],
    ),
    "config map": (_volume(configMap={}), [("Required", "volumes[0].configMap.name")]),
    "config map file": (
        _volume(configMap={"name": "c", "items": [{"key": "k", "path": "a/../b"}, {"key": "k", "path": ""}]}),
        [("Invalid", "volumes[0].configMap.items[0].path"), ("Required", "volumes[0].configMap.items[1].path")],
    ),
    "claim": (_volume(persistentVolumeClaim={}), [("Required", "volumes[0].persistentVolumeClaim.claimName")]),
    "nfs": (_volume(nfs={"path": "x"}), [("Required", "volumes[0].nfs.server"), ("Invalid", "volumes[0].nfs.path")]),
    "host path": (_volume(hostPath={}), [("Required", "volumes[0].hostPath.path")]),
    "host path up": (_volume(hostPath={"path": "/a/../b"}), [("Invalid", "volumes[0].hostPath.path")]),
    "host path type": (
        _volume(hostPath={"path": "/", "type": "Link"}),
        [("NotSupported", "volumes[0].hostPath.type")],
    ),
    "size limit": (_volume(emptyDir={"sizeLimit": "-1"}), [("Forbidden", "volumes[0].emptyDir.sizeLimit")]),
    "downward file": (
        _volume(downwardAPI={"items": [{"path": "a"}]}),
        [("Required", "volumes[0].downwardAPI.items[0]")],
    ),
    "downward both": (
        _volume(
            downwardAPI={
                "items": [
                    {
                        "path": "a",
                        "fieldRef": {"fieldPath": "metadata.name"},
                        "resourceFieldRef": {"resource": "limits.cpu", "containerName": "c"},
                    }
                ]
            }
        ),
        [("Invalid", "volumes[0].downwardAPI.items[0]")],
    ),
    "downward field": (
        _volume(downwardAPI={"items": [{"path": "..a", "fieldRef": {"fieldPath": "status.podIP"}}]}),
        [
            ("Invalid", "volumes[0].downwardAPI.items[0].path"),
            ("NotSupported", "volumes[0].downwardAPI.items[0].fieldRef.fieldPath"),
        ],
    ),
    "downward resource": (
        _volume(downwardAPI={"items": [{"path": "a", "resourceFieldRef": {"resource": "limits.cpu"}}]}),
        [("Required", "volumes[0].downwardAPI.items[0].resourceFieldRef.containerName")],
    ),
    "projected": (
        _volume(projected={"sources": [{"secret": {}}, {"serviceAccountToken": {"path": "", "expirationSeconds": 5}}]}),
        [
            ("Required", "volumes[0].projected.sources[0].secret.name"),
            ("Required", "volumes[0].projected.sources[1].serviceAccountToken.path"),
            ("Invalid", "volumes[0].projected.sources[1].serviceAccountToken.expirationSeconds"),
        ],
    ),
    "projected twice": (
        _volume(projected={"sources": [{"secret": {"name": "s"}, "configMap": {"name": "c"}}]}),
        [("Forbidden", "volumes[0].projected.sources[0].configMap")],
    ),
    "csi": (_volume(csi={}), [("Required", "volumes[0].csi.driver")]),
    "csi secret": (
        _volume(csi={"driver": "d.example", "nodePublishSecretRef": {}}),
        [("Required", "volumes[0].csi.nodePublishSecretRef.name")],
    ),
    "ephemeral": (_volume(ephemeral={}), [("Required", "volumes[0].ephemeral.volumeClaimTemplate")]),
    "ephemeral claim": (
        _volume(ephemeral={"volumeClaimTemplate": {"spec": {"accessModes": ["X"]}}}),
        [
            ("NotSupported", "volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes"),
            ("Required", "volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]"),
        ],
    ),
    "image": (_volume(image={"pullPolicy": "X"}), [("NotSupported", "volumes[0].image.pullPolicy")]),
    "disk": (
        _volume(azureDisk={}),
        [("Required", "volumes[0].azureDisk.diskName"), ("Required", "volumes[0].azureDisk.diskURI")],
    ),
    "block store": (
        _volume(awsElasticBlockStore={}),
        [("Required", "volumes[0].awsElasticBlockStore.volumeID")],
    ),
    "iscsi": (
        _volume(iscsi={"targetPortal": "t", "iqn": "i", "lun": 256}),
        [("Invalid", "volumes[0].iscsi.lun")],
    ),
    "flocker": (_volume(flocker={}), [("Required", "volumes[0].flocker")]),
    "flocker both": (
        _volume(flocker={"datasetName": "a", "datasetUUID": "b"}),
        [("Invalid", "volumes[0].flocker")],
    ),
    "git": (
        _volume(gitRepo={"directory": "/x"}),
        [("Required", "volumes[0].gitRepo.repository"), ("Invalid", "volumes[0].gitRepo.directory")],
    ),
}

MOUNTS: dict[str, tuple[dict[str, Any], Refusals]] = {
    "good": (_mount(subPath="a/b"), []),
    "no name": (_mount(name=""), [("Required", f"{C0}.volumeMounts[0].name")]),
    "no volume": (_mount(name="w"), [("NotFound", f"{C0}.volumeMounts[0].name")]),
    "no path": (_mount(mountPath=""), [("Required", f"{C0}.volumeMounts[0].mountPath")]),
    "same path": (
        {**_volume(emptyDir={}), **container(volumeMounts=[{"name": "v", "mountPath": "/v"}] * 2)},
        [("Invalid", f"{C0}.volumeMounts[1].mountPath")],
    ),
    "absolute sub path": (_mount(subPath="/a"), [("Invalid", f"{C0}.volumeMounts[0].subPath")]),
    "sub path up": (_mount(subPath="../a"), [("Invalid", f"{C0}.volumeMounts[0].subPath")]),
    "both sub paths": (_mount(subPath="a", subPathExpr="b"), [("Invalid", f"{C0}.volumeMounts[0].subPathExpr")]),
    "propagation": (_mount(mountPropagation="X"), [("NotSupported", f"{C0}.volumeMounts[0].mountPropagation")]),
    "privileged propagation": (
        _mount(mountPropagation="Bidirectional"),
        [("Forbidden", f"{C0}.volumeMounts[0].mountPropagation")],
    ),
    "recursive read only": (
        _mount(recursiveReadOnly="X"),
        [("NotSupported", f"{C0}.volumeMounts[0].recursiveReadOnly")],
    ),
    "recursive without read only": (
        _mount(recursiveReadOnly="Enabled"),
        [("Forbidden", f"{C0}.volumeMounts[0].recursiveReadOnly")],
    ),
    "device": (
        {**_volume(emptyDir={}), **container(volumeDevices=[{"name": "v", "devicePath": "/dev/../x"}])},
        [("Invalid", f"{C0}.volumeDevices[0].devicePath"), ("Invalid", f"{C0}.volumeDevices[0].name")],
    ),
    "device of a claim": (
        {
            **_volume(persistentVolumeClaim={"claimName": "c"}),
            **container(volumeDevices=[{"name": "v", "devicePath": "/dev/x"}]),
        },
        [],
    ),
}

SECURITY: dict[str, tuple[dict[str, Any], Refusals]] = {
    "user": (container(securityContext={"runAsUser": -1}), [("Invalid", f"{C0}.securityContext.runAsUser")]),
    "group": (container(securityContext={"runAsGroup": -1}), [("Invalid", f"{C0}.securityContext.runAsGroup")]),
    "proc mount": (
        container(securityContext={"procMount": "X"}),
        [("NotSupported", f"{C0}.securityContext.procMount")],
    ),
    "profile": (
        container(securityContext={"seccompProfile": {"type": "X"}}),
        [("NotSupported", f"{C0}.securityContext.seccompProfile.type")],
    ),
    "local profile": (
        container(securityContext={"seccompProfile": {"type": "Localhost"}}),
        [("Required", f"{C0}.securityContext.seccompProfile.localhostProfile")],
    ),
    "profile not local": (
        container(securityContext={"seccompProfile": {"type": "Unconfined", "localhostProfile": "p"}}),
        [("Invalid", f"{C0}.securityContext.seccompProfile.localhostProfile")],
    ),
    "privileged": (
        container(securityContext={"privileged": True, "allowPrivilegeEscalation": False}),
        [("Invalid", f"{C0}.securityContext")],
    ),
    "system administration": (
        container(securityContext={"capabilities": {"add": ["CAP_SYS_ADMIN"]}, "allowPrivilegeEscalation": False}),
        [("Invalid", f"{C0}.securityContext")],
    ),
    "pod user": ({"securityContext": {"runAsUser": -1}}, [("Invalid", "securityContext.runAsUser")]),
    "groups": (
        {"securityContext": {"fsGroup": -1, "supplementalGroups": [1, -2]}},
        [("Invalid", "securityContext.fsGroup"), ("Invalid", "securityContext.supplementalGroups[1]")],
    ),
    "group change": (
        {"securityContext": {"fsGroupChangePolicy": "X", "supplementalGroupsPolicy": "X"}},
        [
            ("NotSupported", "securityContext.fsGroupChangePolicy"),
            ("NotSupported", "securityContext.supplementalGroupsPolicy"),
        ],
    ),
    "sysctls": (
        {
            "securityContext": {
                "sysctls": [{"name": "", "value": ""}, {"name": "A", "value": ""}] + [{"name": "a.b", "value": ""}] * 2
            }
        },
        [
            ("Required", "securityContext.sysctls[0].name"),
            ("Invalid", "securityContext.sysctls[1].name"),
            ("Duplicate", "securityContext.sysctls[3].name"),
        ],
    ),
    "shared processes": ({"shareProcessNamespace": True, "hostPID": True}, [("Invalid", "shareProcessNamespace")]),
}

SELECTOR = "labelSelector"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def _node(*expressions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    term = {"matchExpressions": list(expressions), **fields}
    return {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [term]}}}}


def _near(**term: Any) -> dict[str, Any]:
    return {"affinity": {"podAffinity": {REQUIRED: [{"topologyKey": "zone", **term}]}}}


def _spread(**fields: Any) -> dict[str, Any]:
    constraint = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", **fields}
    return {"topologySpreadConstraints": [constraint]}


TERM = f"affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0]"

PLACEMENT: dict[str, tuple[dict[str, Any], Refusals]] = {
    "toleration key": ({"tolerations": [{"key": "a b"}]}, [("Invalid", "tolerations[0].key")]),
    "toleration without key": ({"tolerations": [{"operator": "Equal"}]}, [("Invalid", "tolerations[0].operator")]),
    "toleration operator": (
        {"tolerations": [{"key": "k", "operator": "Like"}]},
        [("NotSupported", "tolerations[0].operator")],
    ),
    "toleration value": (
        {"tolerations": [{"key": "k", "operator": "Equal", "value": "a b"}]},
        [("Invalid", "tolerations[0].operator")],
    ),
    "toleration value of Exists": (
        {"tolerations": [{"key": "k", "operator": "Exists", "value": "v"}]},
        [("Invalid", "tolerations[0].operator")],
    ),
    "toleration effect": (
        {"tolerations": [{"key": "k", "operator": "Exists", "effect": "X"}]},
        [("NotSupported", "tolerations[0].effect")],
    ),
    "toleration seconds": (
        {"tolerations": [{"key": "k", "operator": "Exists", "tolerationSeconds": 5}]},
        [("Invalid", "tolerations[0].effect")],
    ),
    "node selector": ({"nodeSelector": {"a b": "x"}}, [("Invalid", "nodeSelector")]),
    "no terms": (
        {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}}},
        [("Required", f"affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms")],
    ),
    "In without values": (
        _node({"key": "z", "operator": "In"}),
        [("Required", f"{TERM}.matchExpressions[0].values")],
    ),
    "Exists with values": (
        _node({"key": "z", "operator": "Exists", "values": ["v"]}),
        [("Forbidden", f"{TERM}.matchExpressions[0].values")],
    ),
    "Gt with two values": (
        _node({"key": "z", "operator": "Gt", "values": ["1", "2"]}),
        [("Required", f"{TERM}.matchExpressions[0].values")],
    ),
    "node operator": (
        _node({"key": "z", "operator": "Like"}),
        [("Invalid", f"{TERM}.matchExpressions[0].operator")],
    ),
    "node key": (
        _node({"key": "a b", "operator": "Exists"}),
        [("Invalid", f"{TERM}.matchExpressions[0].key")],
    ),
    "node fields": (
        _node(matchFields=[{"key": "metadata.uid", "operator": "Exists"}]),
        [("Invalid", f"{TERM}.matchFields[0].operator"), ("Invalid", f"{TERM}.matchFields[0].key")],
    ),
    "two node names": (
        _node(matchFields=[{"key": "metadata.name", "operator": "In", "values": ["a", "B"]}]),
        [("Required", f"{TERM}.matchFields[0].values"), ("Invalid", f"{TERM}.matchFields[0].values[1]")],
    ),
    "node weight": (
        {"affinity": {"nodeAffinity": {PREFERRED: [{"weight": 0, "preference": {}}]}}},
        [("Invalid", f"affinity.nodeAffinity.{PREFERRED}[0].weight")],
    ),
    "no topology key": (_near(topologyKey=""), [("Required", f"affinity.podAffinity.{REQUIRED}[0].topologyKey")]),
    "topology key": (_near(topologyKey="a b"), [("Invalid", f"affinity.podAffinity.{REQUIRED}[0].topologyKey")]),
    "namespace": (_near(namespaces=["A"]), [("Invalid", f"affinity.podAffinity.{REQUIRED}[0].namespace")]),
    "selector labels": (
        _near(labelSelector={"matchLabels": {"a": "b c"}}),
        [("Invalid", f"affinity.podAffinity.{REQUIRED}[0].labelSelector.matchLabels")],
    ),
    "selector expressions": (
        _near(
            namespaceSelector={"matchExpressions": [{"key": "k", "operator": "NotIn"}, {"key": "", "operator": "Gt"}]}
        ),
        [
            ("Required", f"affinity.podAffinity.{REQUIRED}[0].namespaceSelector.matchExpressions[0].values"),
            ("Invalid", f"affinity.podAffinity.{REQUIRED}[0].namespaceSelector.matchExpressions[1].key"),
            ("Invalid", f"affinity.podAffinity.{REQUIRED}[0].namespaceSelector.matchExpressions[1].operator"),
        ],
    ),
    "selector values": (
        _near(labelSelector={"matchExpressions": [{"key": "k", "operator": "In", "values": ["a b"]}]}),
        [("Invalid", f"affinity.podAffinity.{REQUIRED}[0].labelSelector.matchExpressions[0].values[0]")],
    ),
    "pod weight": (
        {"affinity": {"podAntiAffinity": {PREFERRED: [{"weight": 101, "podAffinityTerm": {"topologyKey": ""}}]}}},
        [
            ("Invalid", f"affinity.podAntiAffinity.{PREFERRED}[0].weight"),
            ("Required", f"affinity.podAntiAffinity.{PREFERRED}[0].podAffinityTerm.topologyKey"),
        ],
    ),
    "label keys without a selector": (
        _near(matchLabelKeys=["a"], mismatchLabelKeys=["b"]),
        [
            ("Forbidden", f"affinity.podAffinity.{REQUIRED}[0].matchLabelKeys"),
            ("Forbidden", f"affinity.podAffinity.{REQUIRED}[0].mismatchLabelKeys"),
        ],
    ),
    "label keys": (
        _near(labelSelector={}, matchLabelKeys=["a", "a b"], mismatchLabelKeys=["a"]),
        [
            ("Invalid", f"affinity.podAffinity.{REQUIRED}[0].matchLabelKeys[1]"),
            ("Invalid", f"affinity.podAffinity.{REQUIRED}[0].mismatchLabelKeys[0]"),
        ],
    ),
    "spread label keys": (
        _spread(labelSelector={}, matchLabelKeys=["a b"]),
        [("Invalid", "topologySpreadConstraints[0].matchLabelKeys[0]")],
    ),
    "spread label keys without a selector": (
        _spread(matchLabelKeys=["a"]),
        [("Forbidden", "topologySpreadConstraints[0].matchLabelKeys")],
    ),
    "skew": (_spread(maxSkew=0), [("Invalid", "topologySpreadConstraints[0].maxSkew")]),
    "spread key": (_spread(topologyKey=""), [("Required", "topologySpreadConstraints[0].topologyKey")]),
    "unsatisfiable": (
        _spread(whenUnsatisfiable="X"),
        [("NotSupported", "topologySpreadConstraints[0].whenUnsatisfiable")],
    ),
    "domains": (
        _spread(minDomains=0, whenUnsatisfiable="ScheduleAnyway"),
        [("Invalid", "topologySpreadConstraints[0].minDomains")] * 2,
    ),
    "node policies": (
        _spread(nodeAffinityPolicy="X", nodeTaintsPolicy="Y"),
        [
            ("NotSupported", "topologySpreadConstraints[0].nodeAffinityPolicy"),
            ("NotSupported", "topologySpreadConstraints[0].nodeTaintsPolicy"),
        ],
    ),
    "spread selector": (
        _spread(labelSelector={"matchLabels": {"a b": ""}}),
        [("Invalid", "topologySpreadConstraints[0].labelSelector.matchLabels")],
    ),
    "spread twice": (
        {"topologySpreadConstraints": _spread()["topologySpreadConstraints"] * 2},
        [("Duplicate", "topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}")],
    ),
}

SCALARS: dict[str, tuple[dict[str, Any], Refusals]] = {
    "restart policy": ({"restartPolicy": "Maybe"}, [("NotSupported", "restartPolicy")]),
    "DNS policy": ({"dnsPolicy": "X"}, [("NotSupported", "dnsPolicy")]),
    "DNS policy None": ({"dnsPolicy": "None"}, [("Required", "dnsConfig")]),
    "DNS policy None without server": (
        {"dnsPolicy": "None", "dnsConfig": {}},
        [("Required", "dnsConfig.nameservers")],
    ),
    "DNS config": (
        {"dnsConfig": {"nameservers": ["x"], "searches": ["a b"], "options": [{"value": "v"}]}},
        [
            ("Invalid", "dnsConfig.nameservers[0]"),
            ("Invalid", "dnsConfig.searches[0]"),
            ("Required", "dnsConfig.options[0]"),
        ],
    ),
    "many servers": ({"dnsConfig": {"nameservers": ["1.1.1.1"] * 4}}, [("Invalid", "dnsConfig.nameservers")]),
    "many searches": ({"dnsConfig": {"searches": ["a"] * 33}}, [("TooMany", "dnsConfig.searches")]),
    "long searches": (
        {"dnsConfig": {"searches": ["a" * 63 + "." + "b" * 180] * 9}},
        [("TooLong", "dnsConfig.searches")],
    ),
    "deadline": ({"activeDeadlineSeconds": 0}, [("Invalid", "activeDeadlineSeconds")]),
    "service account": ({"serviceAccountName": "A"}, [("Invalid", "serviceAccountName")]),
    "node name": ({"nodeName": "A"}, [("Invalid", "nodeName")]),
    "priority class": ({"priorityClassName": "A"}, [("Invalid", "priorityClassName")]),
    "runtime class": ({"runtimeClassName": "A"}, [("Invalid", "runtimeClassName")]),
    "hostname": ({"hostname": "a.b"}, [("Invalid", "hostname")]),
    "subdomain": ({"subdomain": "a_b"}, [("Invalid", "subdomain")]),
    "preemption": ({"preemptionPolicy": "X"}, [("NotSupported", "preemptionPolicy")]),
    "system": ({"os": {"name": "plan9"}}, [("NotSupported", "os.name")]),
    "alias": (
        {"hostAliases": [{"ip": "x", "hostnames": ["A"]}]},
        [("Invalid", "hostAliases[0].ip"), ("Invalid", "hostAliases[0].hostnames[0]")],
    ),
    "readiness gate": (
        {"readinessGates": [{"conditionType": "a b"}]},
        [("Invalid", "readinessGates[0].conditionType")],
    ),
    "scheduling gates": (
        {"schedulingGates": [{"name": "a"}, {"name": "a"}, {"name": "a b"}]},
        [("Duplicate", "schedulingGates[1]"), ("Invalid", "schedulingGates[2]")],
    ),
}

TABLES = {
    "container": CONTAINERS,
    "port": PORTS,
    "env": ENV,
    "probe": PROBES,
    "resources": RESOURCES,
    "volume": VOLUMES,
    "mount": MOUNTS,
    "security": SECURITY,
    "placement": PLACEMENT,
    "scalar": SCALARS,
}
CASES = {f"{about}: {name}": case for about, table in TABLES.items() for name, case in table.items()}


@pytest.mark.parametrize(("spec", "expected"), CASES.values(), ids=CASES)
def test_pod(spec: dict[str, Any], expected: Refusals) -> None:
    assert refused(pod(spec)) == sorted((reason, f"spec.{field}") for reason, field in expected)


# What workloads say of these two beside is tested with them.
IN_TEMPLATES = {name: case for name, case in CASES.items() if name not in ("scalar: deadline",)}


@pytest.mark.parametrize(("spec", "expected"), IN_TEMPLATES.values(), ids=IN_TEMPLATES)
def test_template(spec: dict[str, Any], expected: Refusals) -> None:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {**container(), **spec}}
    found = refused(workload("Deployment", {"template": template}))
    assert found == sorted((reason, f"spec.template.spec.{field}") for reason, field in expected)


POD_ONLY: dict[str, tuple[dict[str, Any], dict[str, Any], Refusals]] = {
    "white space": (container(image=" nginx"), {}, [("Invalid", "spec.containers[0].image")]),
    "ephemeral containers": (
        {"ephemeralContainers": [{"name": "e", "image": "x"}]},
        {},
        [("Forbidden", "spec.ephemeralContainers")],
    ),
    "gates on a bound pod": (
        {"schedulingGates": [{"name": "a"}], "nodeName": "n"},
        {},
        [("Forbidden", "spec.nodeName")],
    ),
    "deletion cost": (
        {},
        {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "+5"}},
        [("Invalid", "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]")],
    ),
}


@pytest.mark.parametrize(("spec", "metadata", "expected"), POD_ONLY.values(), ids=POD_ONLY)
def test_pod_objects_only(spec: dict[str, Any], metadata: dict[str, Any], expected: Refusals) -> None:
    assert refused(pod(spec, metadata)) == expected


GOOD_COSTS = ("0", "-5", "2147483647", "-2147483648")
BAD_COSTS = ("", "+5", "05", "-0", "1.5", "x", "2147483648", "-2147483649", "9" * 5000, "٣")
COSTS = dict.fromkeys(GOOD_COSTS, True) | dict.fromkeys(BAD_COSTS, False)


@pytest.mark.parametrize(("cost", "good"), COSTS.items())
def test_deletion_cost(cost: str, good: bool) -> None:
    found = refused(pod(metadata={"annotations": {"controller.kubernetes.io/pod-deletion-cost": cost}}))
    assert (found == []) is good
