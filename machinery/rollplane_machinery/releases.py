"""Which Kubernetes release is behaved as: one frozen value of named switches.

Planners, kubelets, rules and printing are given a ``Release`` and ask it; nothing else compares versions. Each switch
is a row of ``docs/semantics/releases.md``, which names its source. A minor release stands for its last patch; a patch
may be named where patches differ (1.35).
"""

from __future__ import annotations

import math
import re
from enum import Enum

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.frozen import frozen

OLDEST, NEWEST = (1, 20), (1, 37)

_Version = tuple[int, int, float]
_TEXT = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


class ScalingSentence(Enum):
    """How a Deployment's event tells of a ReplicaSet that was scaled."""

    TO = "to 3"
    TO_FROM = "to 3 from 2"
    FROM_TO = "from 2 to 3"


class MaxUnavailable(Enum):
    """What a StatefulSet's ``rollingUpdate.maxUnavailable`` does."""

    IGNORED = "one pod at a time, whatever it says"
    COUNTS_BROKEN = "acts, and old pods that are broken use it up"
    BROKEN_FIRST = "acts, and old pods that are broken are replaced first"


class TaintSentence(Enum):
    """How FailedScheduling counts the nodes with a taint that the pod does not tolerate; the values are formats."""

    HAD = "node(s) had taint {{{key}: {value}}}, that the pod didn't tolerate"
    UNTOLERATED = "node(s) had untolerated taint {{{key}: {value}}}"
    UNNAMED = "node(s) had untolerated taint(s)"


class PreemptionSentence(Enum):
    """How FailedScheduling tells that preemption found nothing either; the values are formats of a whole sentence."""

    UNTOLD = ""
    TOLD = " preemption: {said}"
    TWO_DOTS = " preemption: {said}."
    AFTER_CLAIMS = " no new claims to deallocate, preemption: {said}"


class PreemptedSentence(Enum):
    """How a victim is told who took its place; the values are formats."""

    BY_NAME = "Preempted by {namespace}/{name} on node {node}"
    BY_A_POD = "Preempted by a pod on node {node}"
    BY_UID = "Preempted by pod {uid} on node {node}"


class StartSentence(Enum):
    """How a kubelet tells that it created and started a container; the values are formats."""

    NAMED = ("Created container {name}", "Started container {name}")
    COLON = ("Created container: {name}", "Started container {name}")
    UNNAMED = ("Container created", "Container started")


class RejectionSentence(Enum):
    """How a kubelet tells that it does not run a pod, and that a rule does not allow it; the values are formats."""

    SHORT = ("Pod {message}", "Predicate {predicate} failed")
    SAID = ("Pod was rejected: {message}", "Predicate {predicate} failed")
    EXPLAINED = ("Pod was rejected: {message}", "Predicate {predicate} failed: {why}")


class PullSentence(Enum):
    """How a kubelet tells that it pulled an image; the values are formats."""

    ALONE = 'Successfully pulled image "{image}" in {spent}'
    WITH_WAITING = 'Successfully pulled image "{image}" in {spent} ({spent} including waiting)'


@frozen
class Release:
    """What the release ``name`` (``1.29``, ``1.35.2``) does where releases differ; times are in seconds.

    - ``history_by_revision``: Deployments drop the ReplicaSets of the lowest revisions, not the oldest ones.
    - ``terminating_replicas``: ReplicaSets and Deployments count pods that are going.
    - ``stateful_set_min_ready``: minReadySeconds of a StatefulSet acts, and availableReplicas is told.
    - ``on_delete_completes``: an OnDelete StatefulSet takes the update for current once all pods have been replaced.
    - ``revisions_by_meaning``: StatefulSets compare templates by meaning, not by their stored bytes.
    - ``pod_index_label``, ``claim_retention``, ``ordinals_start``: what a StatefulSet's pods and claims get.
    - ``daemon_set_surge``: maxSurge of a DaemonSet acts.
    - ``victims_by_cost``: deletion costs count, and ages of pods are compared by magnitude.
    - ``node_grace_seconds``: how long a node may be silent.
    - ``sidecars``: init containers that restart always run beside the others, and their requests are summed with them.
    - ``scheduling_gates``: a gated pod is not scheduled.
    - ``namespace_selectors``: a term of pod affinity may choose namespaces by their labels.
    - ``node_inclusion_policies``, ``min_domains``, ``spread_by_label_keys``: fields of topology spread constraints.
    - ``spread_keys_are_merged``: what matchLabelKeys of spread mean is written into the pod's selectors.
    - ``affinity_by_label_keys``: terms of pod affinity may compare values of the pod's own labels.
    - ``pod_level_resources``: a pod may request as a whole.
    - ``capacity_is_final``: preemption is not said to help where a node is too small even when it is empty.
    - ``pod_generation``: pods have generations, and their status says which one it tells of.
    - ``topology_labels``: pods bear the zone and region of their node.
    - ``pods_deleted_first``: a namespace is emptied of its pods before all else.
    - ``restart_ages``: a table of pods tells when the last restart was.
    - ``tells_singular_names``: discovery names each resource in the singular too.
    - ``serves_policy_v1``, ``serves_eviction_v1``: policy/v1 is there, for budgets and for evictions.
    - ``serves_beta_versions``: the v1beta1 of policy and events.k8s.io are there.
    - ``tells_who_asks``: SelfSubjectReview is there, in v1.
    - ``token_secrets``: each ServiceAccount has a Secret with its token.
    - ``ip_families``: Services tell their address families.
    - ``name_formats``: schemas of custom resources may ask for short and long names as formats.
    - ``schema_ratcheting``: what was wrong in a custom object already is not held against an update that leaves it.
    - ``schema_rules``: schemas of custom resources may have rules.
    - ``selects_custom_fields``: definitions of custom resources may say which fields can be selected by.
    - ``taint_sentence``, ``preemption_sentence``: what FailedScheduling says of taints and of preemption.
    - ``preempted_sentence``: what victims of preemption are told.
    - ``kubelets_check_taints``: a kubelet does not run a pod that does not tolerate a NoExecute taint of its node.
    - ``rejection_sentence``: what a kubelet says of a pod that it does not run.
    - ``pull_sentence``, ``start_sentence``: what kubelets say of pulled images and of starting containers.
    """

    name: str
    history_by_revision: bool
    scaling_sentence: ScalingSentence
    terminating_replicas: bool
    stateful_set_min_ready: bool
    max_unavailable: MaxUnavailable
    on_delete_completes: bool
    revisions_by_meaning: bool
    pod_index_label: bool
    claim_retention: bool
    ordinals_start: bool
    daemon_set_surge: bool
    victims_by_cost: bool
    node_grace_seconds: float
    sidecars: bool
    scheduling_gates: bool
    namespace_selectors: bool
    node_inclusion_policies: bool
    min_domains: bool
    spread_by_label_keys: bool
    spread_keys_are_merged: bool
    affinity_by_label_keys: bool
    pod_level_resources: bool
    capacity_is_final: bool
    pod_generation: bool
    topology_labels: bool
    pods_deleted_first: bool
    restart_ages: bool
    tells_singular_names: bool
    serves_policy_v1: bool
    serves_eviction_v1: bool
    serves_beta_versions: bool
    tells_who_asks: bool
    token_secrets: bool
    ip_families: bool
    name_formats: bool
    schema_ratcheting: bool
    schema_rules: bool
    selects_custom_fields: bool
    taint_sentence: TaintSentence
    preemption_sentence: PreemptionSentence
    kubelets_check_taints: bool
    rejection_sentence: RejectionSentence
    pull_sentence: PullSentence
    preempted_sentence: PreemptedSentence
    start_sentence: StartSentence

    @property
    def minor(self) -> int:
        """The number of the minor release, by which tables of API versions go."""
        return _version_of(self.name)[1]

    @property
    def version(self) -> str:
        """The release as its components give it: ``v1.29.0`` where no patch was named."""
        return f"v{self.name}" if self.name.count(".") == 2 else f"v{self.name}.0"


def release_of(name: str) -> Release:
    """Return the release called ``name``: ``1.29``, ``v1.29`` or with a patch, ``1.35.2``.

    Raises BadRequestError for what is no release, or none from 1.20 to 1.37.
    """
    version = _version_of(name)

    def since(minor: int, patch: int = 0) -> bool:
        return version >= (1, minor, patch)

    return Release(
        name.removeprefix("v"),
        history_by_revision=since(21),
        scaling_sentence=_scaling_sentence(version),
        terminating_replicas=since(35),
        stateful_set_min_ready=since(23),
        max_unavailable=_max_unavailable(version),
        on_delete_completes=since(37),
        revisions_by_meaning=since(34),
        pod_index_label=since(28),
        claim_retention=since(27),
        ordinals_start=since(27),
        daemon_set_surge=since(22),
        victims_by_cost=since(22),
        node_grace_seconds=50.0 if since(32) else 40.0,
        sidecars=since(29),
        scheduling_gates=since(27),
        namespace_selectors=since(22),
        node_inclusion_policies=since(26),
        min_domains=since(27),
        spread_by_label_keys=since(27),
        spread_keys_are_merged=since(34),
        affinity_by_label_keys=since(31),
        pod_level_resources=since(34),
        capacity_is_final=since(34),
        pod_generation=since(34),
        topology_labels=since(35),
        pods_deleted_first=since(33),
        restart_ages=since(22),
        tells_singular_names=since(27),
        serves_policy_v1=since(21),
        serves_eviction_v1=since(22),
        serves_beta_versions=not since(25),
        tells_who_asks=since(28),
        token_secrets=not since(24),
        ip_families=since(21),
        name_formats=since(34),
        schema_ratcheting=since(30),
        schema_rules=since(25),
        selects_custom_fields=since(31),
        taint_sentence=_taint_sentence(version),
        preemption_sentence=_preemption_sentence(version),
        kubelets_check_taints=since(24),
        rejection_sentence=_rejection_sentence(version),
        pull_sentence=PullSentence.WITH_WAITING if version >= (1, 27, 0) else PullSentence.ALONE,
        preempted_sentence=_preempted_sentence(version),
        start_sentence=_start_sentence(version),
    )


def _version_of(name: str) -> _Version:
    match = _TEXT.fullmatch(name)
    minor = (int(match[1]), int(match[2])) if match else None
    if match is None or minor is None or not OLDEST <= minor <= NEWEST:
        raise BadRequestError(f'"{name}" is no release that can be behaved as: want 1.{OLDEST[1]} to 1.{NEWEST[1]}')
    return (*minor, int(match[3]) if match[3] else math.inf)


def _scaling_sentence(version: _Version) -> ScalingSentence:
    if version < (1, 21, 0):
        return ScalingSentence.TO
    return ScalingSentence.TO_FROM if version < (1, 31, 0) else ScalingSentence.FROM_TO


def _taint_sentence(version: _Version) -> TaintSentence:
    if version < (1, 24, 0):
        return TaintSentence.HAD
    return TaintSentence.UNTOLERATED if version < (1, 34, 2) else TaintSentence.UNNAMED


def _preemption_sentence(version: _Version) -> PreemptionSentence:
    if version < (1, 24, 0):
        return PreemptionSentence.UNTOLD
    if (1, 25, 0) <= version < (1, 30, 0):
        return PreemptionSentence.TWO_DOTS
    return PreemptionSentence.AFTER_CLAIMS if (1, 34, 0) <= version < (1, 37, 0) else PreemptionSentence.TOLD


def _preempted_sentence(version: _Version) -> PreemptedSentence:
    if version < (1, 27, 0):
        return PreemptedSentence.BY_NAME
    return PreemptedSentence.BY_A_POD if version < (1, 29, 0) else PreemptedSentence.BY_UID


def _rejection_sentence(version: _Version) -> RejectionSentence:
    if version < (1, 26, 0):
        return RejectionSentence.SHORT
    return RejectionSentence.SAID if version < (1, 31, 0) else RejectionSentence.EXPLAINED


def _start_sentence(version: _Version) -> StartSentence:
    if version < (1, 32, 0):
        return StartSentence.NAMED
    return StartSentence.COLON if version < (1, 35, 0) else StartSentence.UNNAMED


def _max_unavailable(version: _Version) -> MaxUnavailable:
    if version >= (1, 37, 0):
        return MaxUnavailable.BROKEN_FIRST
    return MaxUnavailable.COUNTS_BROKEN if (1, 35, 0) <= version < (1, 35, 4) else MaxUnavailable.IGNORED


LATEST = release_of(f"{NEWEST[0]}.{NEWEST[1]}")
"""What is behaved as unless told otherwise."""

RECORDED = release_of("1.20")
"""The release whose rollouts were recorded as test data."""
