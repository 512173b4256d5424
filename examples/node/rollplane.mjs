// A Rollplane client in thirty lines: stubs made of the .proto files at run time, calls as promises.
import { promisify } from "node:util";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const here = fileURLToPath(new URL(".", import.meta.url));

// Where the .proto files are: where one says, beside this file, or in the repository that this is an example of.
const places = [process.env.ROLLPLANE_PROTOS, join(here, "protos"), join(here, "../../protos")];
const protos = places.find((place) => place && existsSync(join(place, "rollplane")));
if (!protos) throw new Error("no folder with the .proto files: set ROLLPLANE_PROTOS to it");

// Every file is loaded, for objects travel as Any and the loader must know what may be inside. With `json` it unpacks
// them: { "@type": "type.googleapis.com/rollplane.apps.v1.Deployment", metadata: {…}, spec: {…} }.
function load() {
  const files = readdirSync(protos, { recursive: true }).filter((file) => file.endsWith(".proto"));
  const options = { includeDirs: [protos, here], json: true, longs: Number, enums: String };
  return grpc.loadPackageDefinition(protoLoader.loadSync(files, options)).rollplane.api.v1;
}

// Returns both services; their unary methods return promises, their streams are async iterable.
export function connect(address) {
  const api = load();
  const options = { "grpc.max_receive_message_length": 8 * 1024 * 1024 };
  return {
    objects: promising(new api.ObjectService(address, grpc.credentials.createInsecure(), options)),
    rollouts: promising(new api.RolloutService(address, grpc.credentials.createInsecure(), options)),
  };
}

function promising(client) {
  for (const [name, method] of Object.entries(Object.getPrototypeOf(client))) {
    if (method.responseStream === false) client[name] = promisify(method).bind(client);
  }
  return client;
}

// Marks `object` with its type, as an Any needs it: typed("rollplane.apps.v1.Deployment", {…}).
export function typed(name, object) {
  return { "@type": `type.googleapis.com/${name}`, ...object };
}
