// One rollout under several settings: a plot of all that finish, and the table it is drawn from.
import { html } from "rollplane/html";
import { duration } from "rollplane/words";
import { Header, useLanguage, Verdict } from "rollplane/parts";

/**
 * @typedef {{number: number, name: string, p50: number | null, p95: number | null, level: number, best: boolean,
 *   tone: string}} Point
 * @typedef {{title: string, verdict: import("rollplane/model").Verdict, columns: string[], rows: string[][],
 *   tones: string[], points: Point[], notes: string[]}} Compared
 * @typedef {Point & {p50: number, p95: number}} Placed
 */

const WIDTH = 720, ROW = 44, LEFT = 56, RIGHT = 36, TOP = 24, BOTTOM = 32, LABEL = 28;

/** @param {{comparison: Compared}} props */
export function Comparison({ comparison }) {
  const { say, change } = useLanguage();
  return html`
    <${Header} title=${comparison.title} ...${{ say, change }} />
    <${Verdict} verdict=${comparison.verdict} />
    <${Plot} points=${comparison.points} say=${say} />
    <${Table} comparison=${comparison} say=${say} />
    <ul class="notes">${comparison.notes.map((note) => html`<li>${note}</li>`)}</ul>
  `;
}

/** @param {{comparison: Compared, say: import("rollplane/parts").Say}} props */
function Table({ comparison, say }) {
  return html`<div class="wide" tabindex="0" role="region" aria-label=${say("combinations")}>
    <table>
      <thead>
        <tr>${comparison.columns.map((name) => html`<th scope="col">${name || say("number")}</th>`)}</tr>
      </thead>
      <tbody>
        ${comparison.rows.map(
          ([number, ...cells], row) => html`<tr class=${comparison.tones[row]}>
            <th scope="row">${number}</th>
            ${cells.map((cell) => html`<td>${cell}</td>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {{points: Point[], say: import("rollplane/parts").Say}} props */
function Plot({ points, say }) {
  const placed = /** @type {Placed[]} */ (points.filter(({ p95 }) => p95 !== null));
  if (!placed.length) return "";
  const end = Math.max(...placed.map(({ p95 }) => p95)) || 1;
  const levels = [...new Set(placed.map(({ level }) => level))].sort((one, other) => other - one);
  const x = (/** @type {number} */ seconds) => LEFT + (seconds / end) * (WIDTH - LEFT - RIGHT);
  const bands = levels.map((level) => band(placed.filter((each) => each.level === level), x));
  const tops = bands.map((_, at) => TOP + bands.slice(0, at).reduce((sum, each) => sum + each.height, 0));
  const bottom = TOP + bands.reduce((sum, each) => sum + each.height, 0);
  return html`<figure>
    <figcaption>${say("compared")}</figcaption>
    <div class="wide" tabindex="0" role="region" aria-label=${say("compared")}>
      <svg class="compared" viewBox=${`0 0 ${WIDTH} ${bottom + BOTTOM}`} role="img" aria-label=${placed.map(told).join("; ")}>
        ${[0, 0.25, 0.5, 0.75, 1].map(
          (part) => html`<line class="grid" x1=${x(end * part)} x2=${x(end * part)} y1=${TOP} y2=${bottom} />
            <text class="axis" x=${x(end * part)} y=${bottom + 20} text-anchor="middle">${duration(end * part)}</text>`,
        )}
        ${bands.map((each, at) => {
          const y = tops[at] + each.height - ROW / 3;
          return html`<line class="grid" x1=${LEFT} x2=${WIDTH - RIGHT} y1=${y} y2=${y} />
            <text class="axis" x=${LEFT - 8} y=${y + 4} text-anchor="end">${`${Math.round(levels[at])} %`}</text>
            ${each.points.map(([point, lane]) => html`<${Mark} ...${{ point, x, y, lane }} />`)}`;
        })}
      </svg>
    </div>
  </figure>`;
}

/** @param {Placed} point */
const told = ({ number, name, p95, level }) => `${number}: ${name}, ${duration(p95)}, ${Math.round(level)} %`;

/**
 * Return points of one level from left to right, each with the lane of its number: those that would meet are put above
 * each other.
 * @param {Placed[]} points
 * @param {(seconds: number) => number} x
 */
function band(points, x) {
  /** @type {number[]} */
  const ends = [];
  const sorted = [...points].sort((one, other) => one.p95 - other.p95 || one.number - other.number);
  const lanes = sorted.map((point) => {
    const free = ends.findIndex((end) => end <= x(point.p95));
    const lane = free < 0 ? ends.length : free;
    ends[lane] = x(point.p95) + LABEL;
    return /** @type {[Placed, number]} */ ([point, lane]);
  });
  return { points: lanes, height: ROW + Math.max(0, ends.length - 1) * 14 };
}

/** @param {{point: Placed, x: (seconds: number) => number, y: number, lane: number}} props */
function Mark({ point, x, y, lane }) {
  const at = x(point.p95);
  return html`<g class=${`mark ${point.tone} ${point.best ? "best" : ""}`}>
    <title>${told(point)}</title>
    <line class="spread" x1=${x(point.p50)} x2=${at} y1=${y} y2=${y} />
    ${point.tone === "bad"
      ? html`<path d=${`M${at - 4} ${y - 4}l8 8m0 -8l-8 8`} />`
      : html`<circle cx=${at} cy=${y} r="5" />`}
    <text x=${at} y=${y - 10 - lane * 14} text-anchor="middle">${point.number}${point.best ? "*" : ""}</text>
  </g>`;
}
