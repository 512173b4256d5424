"""The story of two Deployments, from their creation to the death and return of every part of the plane.

Each step runs real commands and raises StoryError when what must hold does not. The steps are the end-to-end test of
the main job too.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import resources

from rollplane.core.v1 import ConfigMap
from rollplane_machinery.api import Create, Key, Patch, PatchType
from rollplane_machinery.deployments import REVISION
from rollplane_machinery.errors import AlreadyExistsError
from rollplane_machinery.kinds import CONFIG_MAP, Encoded
from rollplane_plane.demo.theatre import StoryError, Theatre
from rollplane_plane.killer import Kill

MANIFESTS = resources.files("rollplane_plane.demo") / "manifests"

WEB = 30


@dataclass(frozen=True, slots=True)
class Step:
    """A heading and what happens under it."""

    title: str
    play: Callable[[], Awaitable[None]]


class Story:
    """The steps, in their order, on the plane behind ``theatre``; ``killers`` name the parts that can be killed."""

    def __init__(self, theatre: Theatre, killers: Mapping[str, Kill]) -> None:
        self._on = theatre
        self._killers = killers

    @property
    def steps(self) -> list[Step]:
        """Every step; those that kill come last, one for each part that can be killed."""
        steps = [
            Step("create two Deployments: nginx-deployment (3 pods) and web (30)", self.create),
            Step("rollover: a second update while the first is in flight", self.roll_over),
            Step("history", self.history),
            Step("undo, to the version before and to revision 1", self.undo),
            Step("pause, two edits, resume: exactly one rollout", self.pause),
            Step("Recreate: no old pod runs when the first new one starts", self.recreate),
            Step("a bad image: enough pods stay available, and undo heals", self.bad_image),
            Step("scale in the middle of a rollout: shared out in proportion", self.scale),
        ]
        for name, kill in self._killers.items():
            steps.append(Step(f"kill -9 {name} in the middle of a rollover", self._killing(name, kill)))
        return steps

    async def tell(self) -> None:
        """Play every step, under the eyes of the invariant checker; raises StoryError."""
        await self.prepare()
        async with self._on.watched():
            for number, step in enumerate(self.steps, 1):
                self._on.say(f"\n{number}. {step.title}\n{'=' * (len(str(number)) + 2 + len(step.title))}")
                await step.play()
        self.check_invariants()

    async def prepare(self) -> None:
        """Make pods live quickly enough for a story, on every fleet there is."""
        pace = ConfigMap()
        pace.metadata.namespace, pace.metadata.name = "kube-system", "rollplane-simulation"
        pace.data["profile.yaml"] = (MANIFESTS / "pace.yaml").read_text()
        key = Key(CONFIG_MAP, pace.metadata.namespace, pace.metadata.name)
        try:
            await self._on.api.write(Create(Encoded.of(pace)))
        except AlreadyExistsError:
            patch = json.dumps({"data": dict(pace.data)})
            await self._on.api.write(Patch(key, PatchType.MERGE, patch.encode()))

    def check_invariants(self) -> None:
        """Raise StoryError when an invariant was broken; to be called at the end, when all is at rest."""
        broken = self._on.witness.at_rest()
        _must(not broken, f"no invariant is broken; these were: {broken}")

    # The steps.

    async def create(self) -> None:
        for name in ("nginx-deployment", "web"):
            await self._on.command(f"apply -f {MANIFESTS / f'{name}.yaml'}")
        for name in ("nginx-deployment", "web"):
            await self._on.command(f"rollout status deployment/{name}")
        await self._on.command("get deploy,rs")
        _must((await self._on.deployment("web")).status.available_replicas == WEB, "30 pods of web are available")

    async def roll_over(self) -> None:
        await self._on.command("set image deployment/web nginx=nginx:1.9.1 --record")
        await self._on.until("some pods of 1.9.1 are up", lambda: self._available_of("nginx:1.9.1", 3))
        await self._on.command("set image deployment/web nginx=nginx:1.10.0")
        await self._on.until("1.10.0 has a ReplicaSet", lambda: self._exists("nginx:1.10.0"))
        caught = (await self._on.sets("web"))["nginx:1.9.1"].spec.replicas
        self._on.say(f"  (1.9.1 was caught at {caught} of {WEB} pods)")
        _must(0 < caught < WEB, "1.9.1 is caught half-way")
        await self._on.command("rollout status deployment/web")
        sets = await self._on.sets("web")
        _must(sets["nginx:1.9.1"].spec.replicas == 0, "the half-grown ReplicaSet went to zero")
        _must(sets["nginx:1.10.0"].status.available_replicas == WEB, "1.10.0 runs everywhere")
        await self._on.command("get rs -o wide")

    async def history(self) -> None:
        shown = await self._on.command("rollout history deployment/web")
        cause = "rollplane set image deployment/web nginx=nginx:1.9.1 --record=true"
        _must(cause in shown.out, "the recorded command is the cause of revision 2")
        shown = await self._on.command("rollout history deployment/web --revision=2")
        _must("nginx:1.9.1" in shown.out, "revision 2 holds 1.9.1")

    async def undo(self) -> None:
        await self._on.command("rollout undo deployment/web")
        await self._settle("web")
        await self._expect("web", "nginx:1.9.1", "4")
        await self._on.command("rollout undo deployment/web --to-revision=1")
        await self._settle("web")
        await self._expect("web", "nginx:1.7.9", "5")
        await self._on.command("rollout history deployment/web")

    async def pause(self) -> None:
        before = len(await self._on.sets("web"))
        await self._on.command("rollout pause deployment/web")
        await self._on.command("rollout undo deployment/web", code=1)
        await self._on.command("set image deployment/web nginx=nginx:1.11.0")
        await self._on.command(f"apply -f {MANIFESTS / 'web-1.11.1.yaml'}")
        await self._on.until("the edits are seen", self._observed)
        _must(len(await self._on.sets("web")) == before, "nothing rolls while paused")
        await self._on.command("rollout resume deployment/web")
        await self._settle("web")
        sets = await self._on.sets("web")
        _must(len(sets) == before + 1 and "nginx:1.11.0" not in sets, "two edits made one rollout")

    async def recreate(self) -> None:
        await self._patch("nginx-deployment", {"strategy": {"type": "Recreate", "rollingUpdate": None}})
        await self._on.command("set image deployment/nginx-deployment nginx=nginx:1.9.1")
        await self._settle("nginx-deployment")
        await self._expect("nginx-deployment", "nginx:1.9.1", "2")

    async def bad_image(self) -> None:
        await self._on.command("set image deployment/web nginx=nginx:404")
        await self._on.until("the bad image shows", self._bad_image_shows)
        shown = await self._on.command("rollout status deployment/web", code=1)
        _must("ImagePull" in shown.err, "status names the reason")
        shown = await self._on.command("why deploy/web")
        _must("nginx:404" in shown.out, "why names the image")
        available = (await self._on.deployment("web")).status.available_replicas
        _must(available >= WEB - WEB // 4, f"{available} pods are available, at least {WEB - WEB // 4} are promised")
        await self._on.command("rollout undo deployment/web")
        await self._settle("web")

    async def scale(self) -> None:
        await self._on.command("set image deployment/web nginx=nginx:1.12.0")
        await self._on.until("some pods of 1.12.0 are up", lambda: self._available_of("nginx:1.12.0", 5))
        # Paused, the rollout stands still and only the scaling is seen.
        await self._on.command("rollout pause deployment/web")
        await self._on.until("the pause is seen", self._observed)
        before = await self._sizes()
        await self._on.command("scale deployment/web --replicas=40")
        # Each ReplicaSet is a write of its own, and one that meets a fresh status is repeated.
        await self._on.until("40 pods and a quarter are wanted", lambda: self._wanted(50))
        after = await self._sizes()
        self._on.say(f"  (sizes before: {before}, after: {after})")
        larger, smaller = sorted(before, key=lambda image: -before[image])
        growth = {image: after[image] - before[image] for image in before}
        _must(growth[larger] >= growth[smaller] > 0, "both grow, the larger one by no less")
        await self._on.command("rollout resume deployment/web")
        await self._settle("web")
        await self._on.command("scale deployment/web --replicas=30")
        await self._settle("web")

    def _killing(self, name: str, kill: Kill) -> Callable[[], Awaitable[None]]:
        async def play() -> None:
            first, second = f"nginx:kill-{name}-1", f"nginx:kill-{name}-2"
            await self._on.command(f"set image deployment/web nginx={first}")
            await self._on.until("the update is in flight", lambda: self._available_of(first, 2))
            await self._on.command(f"set image deployment/web nginx={second}")
            self._on.say(f"  (kill -9 {name})")
            await kill()
            await self._on.until("the rollover is complete", lambda: self._complete("web", second))
            await self._settle("web")
            sets = await self._on.sets("web")
            _must(sets[first].spec.replicas == 0, "the half-grown ReplicaSet went to zero")
            await self._on.command("get deploy web")

        return play

    # What steps look at.

    async def _settle(self, name: str) -> None:
        """Follow a rollout to its end, old pods gone included."""
        await self._on.command(f"rollout status deployment/{name}")
        app = "web" if name == "web" else "nginx"
        wanted = (await self._on.deployment(name)).spec.replicas

        async def only_new() -> bool:
            return len(await self._on.pods(app)) == wanted

        await self._on.until(f"{name} has {wanted} pods", only_new)

    async def _expect(self, name: str, image: str, revision: str) -> None:
        deployment = await self._on.deployment(name)
        found = deployment.spec.template.spec.containers[0].image, deployment.metadata.annotations[REVISION]
        _must(found == (image, revision), f"{name} is at {image}, revision {revision}; it is at {found}")

    async def _available_of(self, image: str, count: int) -> bool:
        found = (await self._on.sets("web")).get(image)
        return found is not None and found.status.available_replicas >= count

    async def _exists(self, image: str) -> bool:
        return image in await self._on.sets("web")

    async def _wanted(self, pods: int) -> bool:
        return sum((await self._sizes()).values()) == pods

    async def _sizes(self) -> dict[str, int]:
        """Return the sizes of web's ReplicaSets that have any, by image."""
        sets = await self._on.sets("web")
        return {image: one.spec.replicas for image, one in sets.items() if one.spec.replicas}

    async def _observed(self) -> bool:
        deployment = await self._on.deployment("web")
        return deployment.status.observed_generation >= deployment.metadata.generation

    async def _complete(self, name: str, image: str) -> bool:
        deployment = await self._on.deployment(name)
        status, wanted = deployment.status, deployment.spec.replicas
        counts = (status.replicas, status.updated_replicas, status.available_replicas)
        current = deployment.spec.template.spec.containers[0].image == image
        return current and counts == (wanted, wanted, wanted) and await self._observed()

    async def _bad_image_shows(self) -> bool:
        pods = [pod for pod in await self._on.pods("web") if pod.spec.containers[0].image == "nginx:404"]
        waiting = [one.state.waiting.reason for pod in pods for one in pod.status.container_statuses]
        return any(reason.startswith(("ErrImage", "ImagePull")) for reason in waiting)

    async def _patch(self, name: str, spec: Mapping[str, object]) -> None:
        await self._on.command(f"patch deployment {name} -p '{json.dumps({'spec': spec})}'")


def _must(holds: bool, what: str) -> None:
    """Raise StoryError unless what must hold does."""
    if not holds:
        raise StoryError(f"this must hold: {what}")
