"""A story as ``rollplane rehearse`` tells it."""

from __future__ import annotations

import json

from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_rehearsal.rehearse.run import rehearse
from rollplane_rehearsal.rehearse.story import Cluster, Story
from tests.agreement.course import Course, course_of
from tests.agreement.stories import NODES, PROFILE, Told


def rehearsed(told: Told) -> Course:
    """Return the course that a rehearsal foretells; blocks."""
    before = json.dumps({"apiVersion": "v1", "kind": "List", "items": told.manifests})
    profile = parse_profile(PROFILE.read_text())
    story = Story(told.name, before, (), Cluster(NODES, profile), undo=False, script=told.script)
    outcome, recording = rehearse(story, 0)
    assert outcome.seconds is not None, outcome
    return course_of(recording, told.workload, outcome.seconds)
