// Pods of a workload over time: ready ones by revision, available and all, and what its manifest promises.
import uPlot from "uplot";
import { html, useEffect, useLayoutEffect, useRef } from "rollplane/html";

/** @typedef {ReturnType<typeof import("rollplane/model").countsOverTime>} Counts */

const HEIGHT = 220;
export const REVISION_COLOURS = 8;

/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * @param {{counts: Counts, workload: import("rollplane/model").Workload, at: number, onMoment: (at: number) => void,
 *   label: string, say: (key: string) => string, dark: boolean}} props
 */
export function Chart({ counts, workload, at, onMoment, label, say, dark }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const now = useRef(at);
  now.current = at;

  useLayoutEffect(() => {
    const element = /** @type {HTMLElement} */ (place.current);
    plot.current = new uPlot(options(element.clientWidth, workload, say, now), data(counts, workload), element);
    const over = plot.current.over;
    const choose = (/** @type {MouseEvent} */ event) => onMoment(plot.current.posToVal(event.offsetX, "x"));
    over.addEventListener("click", choose);
    const resized = new ResizeObserver(() => plot.current.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      plot.current.destroy();
    };
  }, [counts, dark, say]);

  useEffect(() => {
    const drawn = plot.current;
    if (drawn.cursor.idx === null || drawn.cursor.idx === undefined) drawn.setLegend({ idx: indexAt(counts.times, at) });
    drawn.redraw(false);
  }, [at, counts, dark, say]);
  return html`<div class="chart" role="img" aria-label=${label} ref=${place}></div>`;
}

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

/** @type {(plot: any, least: number, most: number) => [number, number]} */
const upTo = (_plot, _least, most) => [0, Math.max(1, most * 1.08)];

/**
 * @param {number} width
 * @param {import("rollplane/model").Workload} workload
 * @param {(key: string) => string} say
 * @param {{current: number}} now
 */
function options(width, workload, say, now) {
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const line = (/** @type {string} */ label, /** @type {string} */ stroke, /** @type {object} */ more) => ({
    label,
    stroke,
    paths: stepped,
    points: { show: false },
    ...more,
  });
  return {
    width,
    height: HEIGHT,
    scales: { x: { time: false }, y: { range: upTo } },
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    axes: [
      { ...axis, size: 30, values: (/** @type {any} */ _, /** @type {number[]} */ at) => at.map((each) => `${each} s`) },
      { ...axis, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
    ],
    series: [
      { label: say("time"), value: (/** @type {any} */ _, /** @type {number | null} */ at) => (at === null ? "–" : `${at.toFixed(1)} s`) },
      ...workload.revisions.map((name, revision) => {
        const own = colour(`--revision-${revision % REVISION_COLOURS}`);
        return line(name, own, { width: 2, fill: `${own}22` });
      }),
      line(say("available"), colour("--text"), { width: 1.5 }),
      line(say("all_pods"), colour("--quiet"), { width: 1, dash: [6, 3] }),
      ...promises(workload).map(([name]) => line(say(name), colour("--bad"), { width: 1, dash: [2, 3] })),
    ],
    hooks: {
      draw: [
        (/** @type {any} */ plot) => {
          const x = plot.valToPos(now.current, "x", true);
          plot.ctx.save();
          plot.ctx.strokeStyle = colour("--accent");
          plot.ctx.lineWidth = 2;
          plot.ctx.beginPath();
          plot.ctx.moveTo(x, plot.bbox.top);
          plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
          plot.ctx.stroke();
          plot.ctx.restore();
        },
      ],
    },
  };
}
