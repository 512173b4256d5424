"""Giving the old controller a label that tells its pods from the new one's, while they keep running.

Source: docs/semantics/rolling-update.md section 6. The order matters: were the selector changed before the pods are
labelled, all of them would be released and made anew. Each step is judged by what is there, so that it can be stopped
behind any write and gone on with.
"""

from __future__ import annotations

from collections.abc import Sequence

from rollplane.core.v1 import Pod, ReplicationController
from rollplane_machinery.kinds import POD
from rollplane_machinery.selectors import selector_of_map
from rollplane_planners.model import DeleteObject, PlannedWrite, UpdateObject
from rollplane_planners.pods import PodView
from rollplane_planners.rolling_update.view import RollingUpdateView, copy_of


def plan_label(
    view: RollingUpdateView, source: ReplicationController, key: str, value: str
) -> Sequence[PlannedWrite] | None:
    """Return the next writes that bring the label about, none while the controller has yet to see the last ones.

    None, rather than no writes, means that all is labelled.
    """
    if source.spec.template.metadata.labels.get(key) != value:
        return [_labelled_template(source, key, value)]
    former = selector_of_map({name: wanted for name, wanted in source.spec.selector.items() if name != key})
    pods = [pod for pod in view.source_pods if former.matches(pod.labels)]
    if key not in source.spec.selector:
        bare = [pod for pod in pods if pod.labels.get(key) != value]
        return [_labelled_pod(view, pod, key, value) for pod in bare] or [_labelled_selector(source, key, value)]
    if source.status.observed_generation < source.metadata.generation:
        return []
    # Made from the former template between the listing of the pods and the change of the selector.
    stale = [pod for pod in pods if key not in pod.labels and not pod.terminating]
    return [_deletion(pod) for pod in stale] or None


def _labelled_template(source: ReplicationController, key: str, value: str) -> UpdateObject:
    wanted = copy_of(source)
    wanted.spec.template.metadata.labels[key] = value
    return UpdateObject(wanted)


def _labelled_pod(view: RollingUpdateView, pod: PodView, key: str, value: str) -> UpdateObject:
    wanted = Pod()
    wanted.CopyFrom(view.fetch(pod))
    wanted.metadata.labels[key] = value
    return UpdateObject(wanted)


def _labelled_selector(source: ReplicationController, key: str, value: str) -> UpdateObject:
    wanted = copy_of(source)
    wanted.spec.selector[key] = value
    return UpdateObject(wanted)


def _deletion(pod: PodView) -> DeleteObject:
    return DeleteObject(POD, pod.namespace, pod.name, pod.uid)
