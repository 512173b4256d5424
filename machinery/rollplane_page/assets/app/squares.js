// The pods of a workload at a moment, as squares: the state by colour and by shape, the counts in words.
import { html } from "rollplane/html";
import { SHOWN } from "rollplane/model";
import { REVISION_COLOURS } from "rollplane/chart";

/**
 * @param {{recording: import("rollplane/model").Recording, workload: number, groups: [number, number][][],
 *   say: (key: string, values?: Record<string, string | number>) => string}} props
 */
export function Squares({ recording, workload, groups, say }) {
  return html`<div class="revisions">
    ${recording.workloads[workload].revisions.map(
      (name, revision) => html`<section class="revision" style=${`--own: var(--revision-${revision % REVISION_COLOURS})`}>
        <h3>${name} <span class="quiet">${told(groups[revision], say)}</span></h3>
        <div class="squares" role="img" aria-label=${say("group", { revision: name, told: told(groups[revision], say) })}>
          ${groups[revision].map(
            ([place, state]) => html`<i key=${place} class=${`pod state-${state}`} title=${title(recording, place, state, say)}></i>`,
          )}
        </div>
      </section>`,
    )}
  </div>`;
}

/** @param {[number, number][]} pods @param {(key: string) => string} say */
function told(pods, say) {
  const counts = SHOWN.map((state) => /** @type {const} */ ([state, pods.filter((pod) => pod[1] === state).length]));
  const parts = counts.filter(([, count]) => count).map(([state, count]) => `${count} ${say(`state_${state}`)}`);
  return parts.join(", ") || say("no_pods");
}

/**
 * @param {import("rollplane/model").Recording} recording
 * @param {number} place
 * @param {number} state
 * @param {(key: string, values?: Record<string, string>) => string} say
 */
function title(recording, place, state, say) {
  const [name, , , node] = recording.pods[place];
  return say(node ? "on_node" : "on_no_node", { name, node, state: say(`state_${state}`) });
}
