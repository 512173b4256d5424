// Creates a Deployment (or sets back the one of an earlier run), lists all, sets a new image, and watches it happen.
//
//   npm install && node rollout.mjs 127.0.0.1:7070
import { connect, typed } from "./rollplane.mjs";

const { objects, rollouts } = connect(process.argv[2] ?? "127.0.0.1:7070");
const resource = "deployments.apps";
const key = { resource, namespace: "default", name: "web" };

const labels = { app: "web" };
const object = typed("rollplane.apps.v1.Deployment", {
  metadata: { namespace: key.namespace, name: key.name },
  spec: {
    replicas: 3,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: "app", image: "app:v1" }] } },
  },
});
try {
  const created = await objects.create({ object });
  console.log(`created ${key.name} at revision ${created.revision}`);
} catch (error) {
  if (error.code !== 6) throw error; // 6 is ALREADY_EXISTS
  const changed = await rollouts.setImage({ key, images: { app: "app:v1" } });
  console.log(`set back ${key.name} at revision ${changed.revision}`);
}

const { objects: found } = await objects.list({ resource, namespace: "default" });
for (const { metadata, spec } of found) {
  console.log(`found ${metadata.name} with ${spec.replicas} replicas`);
}

const watch = objects.watch({ filters: [{ resource, namespaces: ["default"] }], sendInitialState: true });
try {
  for await (const { events = [], initialStateComplete } of watch) {
    for (const { type, object } of events) {
      const { image } = object.spec.template.spec.containers[0];
      console.log(`${type} ${object.metadata.name} ${image}`);
      if (image === "app:v2") watch.cancel();
    }
    if (initialStateComplete) await rollouts.setImage({ key, images: { app: "app:v2" } });
  }
} catch (error) {
  if (error.code !== 1) throw error; // 1 is CANCELLED: by us, above
}

try {
  await objects.get({ key: { ...key, name: "none" } });
} catch (error) {
  console.log(`error ${error.code}: ${error.details}`);
}
process.exit(0);
