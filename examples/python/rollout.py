"""Apply a Deployment from YAML, set a new image, and follow the rollout: ``python rollout.py [address]``."""

import asyncio
import sys
from pathlib import Path

from rollplane.apps.v1 import Deployment
from rollplane_client.objects import connect


async def main(address: str) -> None:
    """Roll a Deployment out and on to its next image."""
    async with connect(address, name="example") as client:
        [web] = await client.apply_yaml((Path(__file__).parent / "web.yaml").read_text())
        await client.set_image(Deployment, "default", "web", {"nginx": "nginx:1.28"})
        async with client.rollout_status(Deployment, "default", "web") as looks:
            async for look in looks:
                print(look.message)
        web = await client.get(Deployment, "default", "web")
        print(f"{web.metadata.name}: {web.status.available_replicas} of {web.spec.replicas} available")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7070"))
