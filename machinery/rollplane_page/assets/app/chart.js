// Pods of a workload over time: ready ones by revision, available and all, and what its manifest promises.
import uPlot from "uplot";
import { html, useEffect, useRef } from "rollplane/html";
import { axes, colour, HEIGHT, line, markAt, upTo, usePlot } from "rollplane/plot";
import { duration } from "rollplane/words";

/** @typedef {ReturnType<typeof import("rollplane/model").countsOverTime>} Counts */

export const REVISION_COLOURS = 8;

/**
 * @param {{counts: Counts, workload: import("rollplane/model").Workload, at: number, onMoment: (at: number) => void,
 *   label: string, say: (key: string) => string, dark: boolean}} props
 */
export function Chart({ counts, workload, at, onMoment, label, say, dark }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const now = useRef(at);
  now.current = at;
  const plot = usePlot(
    place,
    (width, element) => {
      const made = new uPlot(options(width, workload, say, now), data(counts, workload), element);
      made.over.addEventListener("click", (/** @type {MouseEvent} */ event) => onMoment(made.posToVal(event.offsetX, "x")));
      return made;
    },
    [counts, dark, say],
  );

  useEffect(() => {
    const drawn = plot.current;
    if (!pointed(drawn)) drawn.setLegend({ idx: indexAt(counts.times, at) });
    drawn.redraw(false);
  }, [at, counts, dark, say]);
  return html`<div class="chart" role="img" aria-label=${label} ref=${place}></div>`;
}

/** Whether somebody points at a moment of the plot; else it shows the page's own. @param {any} plot */
const pointed = (plot) => plot.cursor.idx !== null && plot.cursor.idx !== undefined;

/**
 * The place of the last of `times` that is not after `at`.
 * @param {number[]} times @param {number} at
 */
const indexAt = (times, at) => Math.max(0, times.findLastIndex((each) => each <= at));

/**
 * The promises that a manifest makes, each a level line.
 * @param {import("rollplane/model").Workload} workload
 * @returns {[string, number][]}
 */
const promises = (workload) =>
  /** @type {[string, number | null][]} */ ([
    ["least_available", workload.leastAvailable],
    ["most_pods", workload.mostPods],
  ]).flatMap(([name, value]) => (value === null ? [] : [[name, value]]));

/**
 * @param {Counts} counts @param {import("rollplane/model").Workload} workload
 * @returns {[number[], ...number[][]]}
 */
const data = (counts, workload) => [
  counts.times,
  ...counts.ready,
  counts.available,
  counts.total,
  ...promises(workload).map(([, value]) => counts.times.map(() => value)),
];

/**
 * @param {number} width
 * @param {import("rollplane/model").Workload} workload
 * @param {(key: string) => string} say
 * @param {{current: number}} now
 */
function options(width, workload, say, now) {
  return {
    width,
    height: HEIGHT,
    scales: { x: { time: false }, y: { range: upTo } },
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    axes: axes("s", "", [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]),
    series: [
      { label: say("time"), value: (/** @type {any} */ plot, /** @type {number | null} */ at) => duration(pointed(plot) ? (at ?? now.current) : now.current) },
      ...workload.revisions.map((name, revision) => {
        const own = colour(`--revision-${revision % REVISION_COLOURS}`);
        return line(name, own, { width: 2, fill: `${own}22` });
      }),
      line(say("available"), colour("--text"), { width: 1.5 }),
      line(say("all_pods"), colour("--quiet"), { width: 1, dash: [6, 3] }),
      ...promises(workload).map(([name]) => line(say(name), colour("--bad"), { width: 1, dash: [2, 3] })),
    ],
    hooks: { draw: [(/** @type {any} */ plot) => markAt(plot, now.current)] },
  };
}
