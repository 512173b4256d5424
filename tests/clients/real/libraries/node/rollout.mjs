// A rollout as a program in JavaScript sees it: `node rollout.mjs NAMESPACE`, KUBECONFIG says where.
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import * as k8s from "@kubernetes/client-node";

const [namespace] = process.argv.slice(2);
const config = new k8s.KubeConfig();
config.loadFromDefault();
const apps = config.makeApiClient(k8s.AppsV1Api);
const core = config.makeApiClient(k8s.CoreV1Api);
const objects = k8s.KubernetesObjectApi.makeApiClient(config);
const labels = { app: "web" };
const apiVersion = "apps/v1", kind = "Deployment", metadata = { name: "web", namespace };
const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;

const informer = k8s.makeInformer(config, deployments, () => apps.listNamespacedDeployment({ namespace }));
const waiting = new Set();
for (const happened of ["add", "update"]) {
    informer.on(happened, (seen) => waiting.forEach((look) => look(seen)));
}
informer.on("error", (error) => {
    if (error.type !== "aborted") throw error; // that is how a stop looks from within
});

// Waits until the informer shows the rollout of an image to its end.
function rolledOut(image, replicas) {
    return new Promise((resolve) => {
        waiting.add(function look({ metadata, spec, status }) {
            const counts = [status.replicas, status.updatedReplicas, status.availableReplicas];
            if (spec.template.spec.containers[0].image === image && status.observedGeneration === metadata.generation
                && counts.every((count) => count === replicas)) {
                waiting.delete(look);
                resolve();
            }
        });
    });
}

function told(verb) {
    return (error) => console.log(verb, error.code, JSON.parse(error.body).reason);
}

await informer.start();
const first = rolledOut("app:1", 3);
const container = { name: "c", image: "app:1", ports: [{ containerPort: 80 }] };
const spec = { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } } };
await apps.createNamespacedDeployment({ namespace, body: { apiVersion, kind, metadata: { name: "web" }, spec } });
await first;

const second = rolledOut("app:2", 3);
const patch = { apiVersion, kind, metadata, spec: { template: { spec: { containers: [{ name: "c", image: "app:2" }] } } } };
const patched = await objects.patch(patch);
await second;
console.log("patched", patched.spec.template.spec.containers[0].ports[0].containerPort);

const third = rolledOut("app:2", 1);
const scale = await apps.readNamespacedDeploymentScale({ name: "web", namespace });
scale.spec.replicas = 1;
delete scale.metadata.resourceVersion;
await apps.replaceNamespacedDeploymentScale({ name: "web", namespace, body: scale });
await third;
console.log("cached", informer.get("web", namespace).spec.replicas);

const apply = { apiVersion, kind, metadata, spec: { replicas: 2 } };
await objects.patch(apply, undefined, undefined, "me", false, k8s.PatchStrategy.ServerSideApply).catch(told("apply"));
const forced = await objects.patch(apply, undefined, undefined, "me", true, k8s.PatchStrategy.ServerSideApply);
console.log("applied", forced.spec.replicas);

const { items } = await core.listNamespacedPod({ namespace, fieldSelector: "status.phase=Running" });
const log = new PassThrough();
await new k8s.Log(config).log(namespace, items[0].metadata.name, "c", log, {});
console.log("logged", (await text(log)).length > 0);

await new Promise((done) => new k8s.Watch(config).watch(deployments, { resourceVersion: "1" },
    (type, status) => console.log(type, status.code, status.reason), done));
await apps.readNamespacedDeployment({ name: "none", namespace }).catch(told("read"));

const deleted = new Promise((resolve) => informer.on("delete", resolve));
await apps.deleteNamespacedDeployment({ name: "web", namespace });
console.log("deleted", (await deleted).metadata.name);
await informer.stop();
