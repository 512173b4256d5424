// A chart of lines: values over seconds, or by percents of all that was measured.
import uPlot from "uplot";
import { html, useRef } from "rollplane/html";
import { axes, colour, HEIGHT, line, markAt, upTo, usePlot } from "rollplane/plot";
import { amount } from "rollplane/words";

const COLOURS = 8;

/**
 * @typedef {{title: string, places: number[], lines: {label: string, values: (number | null)[]}[], across: string,
 *   unit: string, log: boolean, marks: [at: number, label: string][]}} Chart
 */

/** @param {{chart: Chart, say: import("rollplane/parts").Say, dark: boolean}} props */
export function Lines({ chart, say, dark }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const make = (/** @type {number} */ width, /** @type {HTMLElement} */ element) =>
    new uPlot(options(width, chart, say), [chart.places, ...chart.lines.map((each) => each.values)], element);
  usePlot(place, make, [chart, dark, say]);
  const label = `${chart.title}: ${chart.lines.map((each) => told(each, chart.unit)).join(", ")}`;
  return html`<figure>
    <figcaption><h3>${chart.title}</h3></figcaption>
    <div class="chart" role="img" aria-label=${label} ref=${place}></div>
  </figure>`;
}

/** The highest value of a line, in words. @param {{label: string, values: (number | null)[]}} of @param {string} unit */
function told(of, unit) {
  const most = of.values.reduce((/** @type {number} */ most, each) => Math.max(most, each ?? 0), 0);
  return `${of.label} ≤ ${amount(most, unit)}`;
}

/** @param {number} width @param {Chart} chart @param {import("rollplane/parts").Say} say */
function options(width, chart, say) {
  const value = (/** @type {string} */ unit) => (/** @type {any} */ _, /** @type {number | null} */ at) =>
    at === null ? "–" : amount(at, unit);
  const percents = chart.across === "%";
  return {
    width,
    height: HEIGHT,
    scales: { x: { time: false }, y: chart.log ? { distr: 3 } : { range: chart.unit ? fromNothing : upTo } },
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
    axes: axes(chart.across, chart.unit),
    series: [
      { label: say(percents ? "percentile" : "time"), value: value(chart.across) },
      ...chart.lines.map(({ label }, number) =>
        line(label, colour(`--revision-${number % COLOURS}`), {
          width: 1.5,
          dash: number < COLOURS ? [] : [5, 3],
          spanGaps: true,
          value: value(chart.unit),
          ...(percents ? { paths: uPlot.paths.linear?.() } : {}),
        }),
      ),
    ],
    hooks: {
      draw: [
        (/** @type {any} */ plot) => {
          for (const [at] of chart.marks) markAt(plot, at, { stroke: "--quiet", width: 1, dash: [2, 4] });
        },
      ],
    },
  };
}

/** @type {(plot: any, least: number, most: number) => [number, number]} */
const fromNothing = (_plot, _least, most) => [0, most > 0 ? most * 1.08 : 1];
