// What a recording says at a moment, and over time. Pure: no page, no clock.

/**
 * @typedef {{kind: string, namespace: string, name: string, desired: number, leastAvailable: number | null,
 *   mostPods: number | null, revisions: string[]}} Workload
 * @typedef {[name: string, workload: number, revision: number, node: string]} Pod
 * @typedef {[at: number, pod: number, state: number]} Change
 * @typedef {[at: number, warning: number, reason: string, about: string, message: string]} EventLine
 * @typedef {[begin: number, end: number, workload: number, sentence: string, lasting: number]} Wait
 * @typedef {{label: string, value: string, tone: string}} Figure
 * @typedef {{tone: string, sentence: string, reason: string}} Verdict
 * @typedef {{version: number, title: string, verdict: Verdict | null,
 *   figures: Figure[], workloads: Workload[], pods: Pod[], changes: Change[], events: EventLine[], waits: Wait[],
 *   marks: [at: number, label: string][], begin: number, end: number}} Recording
 */

export const PENDING = 0, STARTING = 1, READY = 2, AVAILABLE = 3, TERMINATING = 4, FAILING = 5, GONE = 6;
export const SHOWN = [AVAILABLE, READY, STARTING, PENDING, FAILING, TERMINATING];

/**
 * Return the state of every pod at `at`, by its place; GONE for those that are not there.
 * @param {Recording} recording
 * @param {number} at
 */
export function statesAt(recording, at) {
  const states = new Uint8Array(recording.pods.length).fill(GONE);
  for (const [when, pod, state] of recording.changes) {
    if (when > at) break;
    states[pod] = state;
  }
  return states;
}

/**
 * Return the pods of a workload that are there, by revision, as [place, state]; a pod keeps its place among its like.
 * @param {Recording} recording
 * @param {number} workload
 * @param {Uint8Array} states
 * @returns {[number, number][][]}
 */
export function podsByRevision(recording, workload, states) {
  /** @type {[number, number][][]} */
  const found = recording.workloads[workload].revisions.map(() => []);
  recording.pods.forEach(([, own, revision], place) => {
    if (own === workload && states[place] !== GONE) found[revision].push([place, states[place]]);
  });
  return found;
}

/**
 * Return the counts of a workload over time: at each moment of `times` the pods available, all of them, and the ready
 * ones of each revision.
 * @param {Recording} recording
 * @param {number} workload
 */
export function countsOverTime(recording, workload) {
  const count = recording.workloads[workload].revisions.length;
  const states = new Uint8Array(recording.pods.length).fill(GONE);
  const now = { available: 0, total: 0, ready: new Array(count).fill(0) };
  /** @type {{times: number[], available: number[], total: number[], ready: number[][]}} */
  const series = { times: [], available: [], total: [], ready: now.ready.map(() => []) };
  const note = (/** @type {number} */ at) => {
    if (series.times.at(-1) === at) [series.times, series.available, series.total, ...series.ready].forEach((each) => each.pop());
    series.times.push(at);
    series.available.push(now.available);
    series.total.push(now.total);
    now.ready.forEach((ready, revision) => series.ready[revision].push(ready));
  };
  const add = (/** @type {number} */ state, /** @type {number} */ revision, /** @type {number} */ by) => {
    if (state === GONE) return;
    if (state !== TERMINATING) now.total += by;
    if (state === AVAILABLE) now.available += by;
    if (state === AVAILABLE || state === READY) now.ready[revision] += by;
  };
  note(recording.begin);
  for (const [at, pod, state] of recording.changes) {
    const [, own, revision] = recording.pods[pod];
    if (own !== workload) continue;
    add(states[pod], revision, -1);
    add((states[pod] = state), revision, 1);
    note(at);
  }
  note(Math.max(recording.end, series.times[series.times.length - 1]));
  return series;
}

/**
 * Return the sentences that the workload waits for at `at`; what lasts is waited for at the end, too.
 * @param {Recording} recording
 * @param {number} workload
 * @param {number} at
 */
export const waitsAt = (recording, workload, at) =>
  recording.waits
    .filter(([begin, end, own, , lasting]) => own === workload && begin <= at && (at < end || lasting))
    .map((wait) => wait[3]);

/**
 * Return every moment at which anything changed, in order, the begin and the end among them.
 * @param {Recording} recording
 */
export function momentsOf(recording) {
  const all = [recording.begin, recording.end, ...recording.changes.map(([at]) => at), ...recording.marks.map(([at]) => at)];
  return [...new Set(all)].sort((one, other) => one - other);
}
