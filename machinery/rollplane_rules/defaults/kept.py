"""What Kubernetes fills into kinds that are kept as JSON. Each function completes the message of its kind in place.

Source: kubernetes/kubernetes pkg/apis/*/v1/defaults.go and, for what a Job selects, pkg/registry/batch/job/strategy.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from rollplane_rules.defaults.pod_spec import default_pod_spec

_RBAC = "rbac.authorization.k8s.io"
_JOB_PREFIX = "batch.kubernetes.io/"
_MOST = 2**31 - 1


def _set(message: Any, **values: object) -> None:
    """Set the fields that say nothing; lists that are empty, too."""
    for name, value in values.items():
        if isinstance(value, list):
            if not getattr(message, name):
                getattr(message, name).extend(value)
        elif not message.HasField(name) or getattr(message, name) == "":
            setattr(message, name, value)


def _there(message: Any, *names: str) -> None:
    """Have messages be there that may be empty."""
    for name in names:
        getattr(message, name).SetInParent()


# Workloads


def _job(job: Any) -> None:
    spec = job.spec
    if not spec.HasField("completions") and not spec.HasField("parallelism"):
        spec.completions = 1
    _set(
        spec,
        parallelism=1,
        backoff_limit=_MOST if spec.HasField("backoff_limit_per_index") else 6,
        completion_mode="NonIndexed",
        suspend=False,
        pod_replacement_policy="Failed" if spec.HasField("pod_failure_policy") else "TerminatingOrFailed",
        manual_selector=False,
    )
    default_pod_spec(spec.template.spec)
    if not spec.manual_selector and not spec.HasField("selector") and job.metadata.uid:
        _select_own(job)
    if not job.metadata.labels:
        job.metadata.labels.update(spec.template.metadata.labels)


def _select_own(job: Any) -> None:
    """A Job selects the pods that bear its uid, and gives them its name."""
    labels = job.spec.template.metadata.labels
    own = {"controller-uid": job.metadata.uid, "job-name": job.metadata.name}
    labels.update(own | {f"{_JOB_PREFIX}{name}": value for name, value in own.items()})
    job.spec.selector.match_labels[f"{_JOB_PREFIX}controller-uid"] = job.metadata.uid


def _cron_job(cron_job: Any) -> None:
    _set(
        cron_job.spec,
        concurrency_policy="Allow",
        suspend=False,
        successful_jobs_history_limit=3,
        failed_jobs_history_limit=1,
    )
    default_pod_spec(cron_job.spec.job_template.spec.template.spec)


def _pod_template(pod_template: Any) -> None:
    default_pod_spec(pod_template.template.spec)


def _autoscaler(autoscaler: Any) -> None:
    spec = autoscaler.spec
    _set(spec, min_replicas=1)
    if not spec.metrics:
        metric = spec.metrics.add(type="Resource")
        metric.resource.name = "cpu"
        metric.resource.target.type, metric.resource.target.average_utilization = "Utilization", 80
    if spec.HasField("behavior"):
        _scaling_rules(spec.behavior.scale_up, ("Pods", 4, 15), ("Percent", 100, 15))
        _set(spec.behavior.scale_up, stabilization_window_seconds=0)
        _scaling_rules(spec.behavior.scale_down, ("Percent", 100, 15))


def _scaling_rules(rules: Any, *policies: tuple[str, int, int]) -> None:
    _set(rules, select_policy="Max")
    if not rules.policies:
        for type_, value, seconds in policies:
            rules.policies.add(type=type_, value=value, period_seconds=seconds)


# Networking


def _network_policy(policy: Any) -> None:
    spec = policy.spec
    for rule in (*spec.ingress, *spec.egress):
        _protocols(rule.ports)
    if not spec.policy_types:
        spec.policy_types.extend(["Ingress", "Egress"] if spec.egress else ["Ingress"])


def _protocols(ports: Iterable[Any]) -> None:
    for port in ports:
        _set(port, protocol="TCP")


def _ingress_class(ingress_class: Any) -> None:
    if ingress_class.spec.HasField("parameters"):
        _set(ingress_class.spec.parameters, scope="Cluster")


def _endpoints(endpoints: Any) -> None:
    for subset in endpoints.subsets:
        _protocols(subset.ports)


def _endpoint_slice(endpoint_slice: Any) -> None:
    for port in endpoint_slice.ports:
        _set(port, name="", protocol="TCP")


# Who may do what


def _binding(binding: Any) -> None:
    _set(binding.role_ref, api_group=_RBAC)
    for subject in binding.subjects:
        if subject.kind != "ServiceAccount":
            _set(subject, api_group=_RBAC)


def _webhooks(configuration: Any) -> None:
    for hook in configuration.webhooks:
        _set(hook, failure_policy="Fail", match_policy="Equivalent", timeout_seconds=10)
        _there(hook, "namespace_selector", "object_selector")
        if hook.client_config.HasField("service"):
            _set(hook.client_config.service, port=443)
        for rule in hook.rules:
            _set(rule.rule, scope="*")


def _mutating_webhooks(configuration: Any) -> None:
    _webhooks(configuration)
    for hook in configuration.webhooks:
        _set(hook, reinvocation_policy="Never")


def _admission_policy(policy: Any) -> None:
    _set(policy.spec, failure_policy="Fail")
    if policy.spec.HasField("match_constraints"):
        _match_resources(policy.spec.match_constraints)


def _policy_binding(binding: Any) -> None:
    if binding.spec.HasField("match_resources"):
        _match_resources(binding.spec.match_resources)


def _match_resources(resources: Any) -> None:
    _set(resources, match_policy="Equivalent")
    _there(resources, "namespace_selector", "object_selector")
    for named in (*resources.resource_rules, *resources.exclude_resource_rules):
        _set(named.rule_with_operations.rule, scope="*")


def _api_service(api_service: Any) -> None:
    if api_service.spec.HasField("service"):
        _set(api_service.spec.service, port=443)


def _flow_schema(flow_schema: Any) -> None:
    if flow_schema.spec.matching_precedence == 0:
        flow_schema.spec.matching_precedence = 1000


def _priority_level(level: Any) -> None:
    spec = level.spec
    if spec.HasField("exempt"):
        _set(spec.exempt, nominal_concurrency_shares=0, lendable_percent=0)
    if spec.HasField("limited"):
        _set(spec.limited, nominal_concurrency_shares=30, lendable_percent=0)
        if spec.limited.limit_response.HasField("queuing"):
            _set(spec.limited.limit_response.queuing, queues=64, hand_size=8, queue_length_limit=50)


# Storage


def _volume(volume: Any) -> None:
    _set(volume.spec, persistent_volume_reclaim_policy="Retain", volume_mode="Filesystem")
    _set(volume.status, phase="Pending")
    source = volume.spec.persistent_volume_source
    if source.HasField("host_path"):
        _set(source.host_path, type="")


def _storage_class(storage_class: Any) -> None:
    _set(storage_class, reclaim_policy="Delete", volume_binding_mode="Immediate")


def _csi_driver(driver: Any) -> None:
    _set(
        driver.spec,
        attach_required=True,
        pod_info_on_mount=False,
        storage_capacity=False,
        volume_lifecycle_modes=["Persistent"],
        fs_group_policy="ReadWriteOnceWithFSType",
        requires_republish=False,
        se_linux_mount=False,
    )


DEFAULTERS: Mapping[str, Callable[[Any], None]] = MappingProxyType(
    {
        "APIService": _api_service,
        "CSIDriver": _csi_driver,
        "ClusterRoleBinding": _binding,
        "CronJob": _cron_job,
        "EndpointSlice": _endpoint_slice,
        "Endpoints": _endpoints,
        "FlowSchema": _flow_schema,
        "HorizontalPodAutoscaler": _autoscaler,
        "IngressClass": _ingress_class,
        "Job": _job,
        "MutatingWebhookConfiguration": _mutating_webhooks,
        "NetworkPolicy": _network_policy,
        "PersistentVolume": _volume,
        "PodTemplate": _pod_template,
        "PriorityLevelConfiguration": _priority_level,
        "RoleBinding": _binding,
        "StorageClass": _storage_class,
        "ValidatingAdmissionPolicy": _admission_policy,
        "ValidatingAdmissionPolicyBinding": _policy_binding,
        "ValidatingWebhookConfiguration": _webhooks,
    }
)
"""By kind, which only one group has of those that are kept."""
