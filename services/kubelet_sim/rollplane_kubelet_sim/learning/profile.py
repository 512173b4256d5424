"""The learned profile: one rule for each stage, image and node pool that was seen, and one for all other images."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rollplane_kubelet_sim.learning.anonymous import Aliases
from rollplane_kubelet_sim.learning.documents import Records
from rollplane_kubelet_sim.learning.fitting import Fit, fit
from rollplane_kubelet_sim.learning.pools import patterns, pools
from rollplane_kubelet_sim.learning.spans import Span, spans
from rollplane_kubelet_sim.stages.rules import Stage
from rollplane_machinery.errors import InvalidError

STAGES = (Stage.PULL, Stage.START, Stage.READY, Stage.TERMINATE)
_ENOUGH = 5


@dataclass(frozen=True, slots=True)
class LearnedRule:
    """How long ``stage`` takes for the image ``repository`` ("" for any) in ``pool`` ("" for any)."""

    stage: Stage
    repository: str
    pool: str
    fit: Fit


def learn(records: Records, *, pool_label: str = "", aliases: Aliases | None = None) -> str:
    """Return a profile as YAML, each rule with a line that shows its fit; with ``aliases`` names are replaced.

    Raises InvalidError when the records tell of no step at all.
    """
    seen = spans(records)
    if not seen:
        raise InvalidError(
            "nothing to learn from: no pod that is ready, was pulled or ended; give the output of "
            "kubectl get pods,events -A -o json"
        )
    where = pools(records.nodes, pool_label)
    return "".join(_lines(_rules(seen, where), where, aliases))


def _rules(seen: Sequence[Span], where: Mapping[str, str]) -> Iterator[LearnedRule]:
    for stage in STAGES:
        own = [span for span in seen if span.stage is stage]
        for repository in sorted({_repository(span.image) for span in own}):
            yield from _of_image(
                stage, repository, [span for span in own if _repository(span.image) == repository], where
            )
        if own:
            yield LearnedRule(stage, "", "", fit([span.seconds for span in own]))


def _of_image(stage: Stage, repository: str, own: Sequence[Span], where: Mapping[str, str]) -> Iterator[LearnedRule]:
    """A rule for each pool that shows enough, if there are several; then one for the image wherever it runs."""
    by_pool: dict[str, list[float]] = {}
    for span in own:
        by_pool.setdefault(where.get(span.node, ""), []).append(span.seconds)
    told = {pool: seconds for pool, seconds in sorted(by_pool.items()) if pool and len(seconds) >= _ENOUGH}
    if len(told) > 1:
        yield from (LearnedRule(stage, repository, pool, fit(seconds)) for pool, seconds in told.items())
    yield LearnedRule(stage, repository, "", fit([span.seconds for span in own]))


def _repository(image: str) -> str:
    """The image's name without tag and digest: the next version has another, and takes as long."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _lines(rules: Iterable[LearnedRule], where: Mapping[str, str], aliases: Aliases | None) -> Iterator[str]:
    yield "# Learned by rollplane profile learn. First the image's own rules, then those for images never seen.\n"
    yield "# Readiness holds what probes added to it, so probes are not waited out once more.\n"
    yield "name: learned\nprobes: false\nrules:\n"
    for rule in rules:
        yield f"  # {_told(rule.fit)}\n"
        yield f"  - {{stage: {rule.stage}, {_match(rule, where, aliases)}delay: {_delay(rule.fit)}}}\n"


def _match(rule: LearnedRule, where: Mapping[str, str], aliases: Aliases | None) -> str:
    parts: dict[str, list[str]] = {}
    if rule.repository:
        name = aliases.of(rule.repository, "image") if aliases else rule.repository
        parts["image"] = [name, f"{name}[:@]*"]
    if rule.pool:
        parts["node"] = [f"{aliases.of(rule.pool, 'pool')}-*"] if aliases else list(patterns(rule.pool, where))
    return f"match: {json.dumps(parts)}, " if parts else ""


def _delay(fit: Fit) -> str:
    return f"{{median: {fit.median:.3g}, p95: {max(fit.p95, fit.median):.3g}}}"


def _told(fit: Fit) -> str:
    """The fit in words: what was observed, and how far off the curve is."""
    spans = "1 span" if fit.count == 1 else f"{fit.count} spans"
    observed = f"{spans}: median {fit.observed_median:.3g} s, p95 {fit.observed_p95:.3g} s, worst {fit.worst:.3g} s"
    left_out = f", {fit.left_out} longer than ten medians left out" if fit.left_out else ""
    if fit.is_thin:
        return f"{observed}{left_out}; too few to judge a curve by"
    verdict = "fits" if fit.is_good else "fits badly"
    return f"{observed}{left_out}; log-normal {verdict} (off by {fit.distance:.2f} at most)"
