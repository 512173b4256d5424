// Measurements: figures, and for each run its charts and tables.
import { html, useState } from "rollplane/html";
import { Lines } from "rollplane/lines";
import { Figures, Header, useDark, useLanguage, Verdict } from "rollplane/parts";
import { duration } from "rollplane/words";

/**
 * @typedef {import("rollplane/model").Figure} Figure
 * @typedef {{title: string, head: string[], rows: string[][]}} Table
 * @typedef {{title: string, figures: Figure[], charts: import("rollplane/lines").Chart[], tables: Table[]}} Part
 * @typedef {{title: string, verdict: import("rollplane/model").Recording["verdict"], notes: string[],
 *   figures: Figure[], parts: Part[]}} Measurements
 */

/** @param {{measurements: Measurements}} props */
export function Measured({ measurements }) {
  const { title, verdict, notes, figures, parts } = measurements;
  const { say, change } = useLanguage();
  const [chosen, setChosen] = useState(0);
  const part = parts[chosen];
  const dark = useDark();
  return html`
    <${Header} title=${title} ...${{ say, change }} />
    <${Verdict} verdict=${verdict} />
    ${notes.map((note) => html`<p class="quiet">${note}</p>`)}
    <${Figures} figures=${figures} say=${say} />
    ${parts.length > 1
      ? html`<div class="row" role="group" aria-label=${say("runs")}>
          ${parts.map(
            ({ title: name }, number) => html`<button aria-current=${number === chosen ? "true" : undefined}
              onClick=${() => setChosen(number)}>${name}</button>`,
          )}
        </div>`
      : ""}
    ${part ? html`<${One} key=${chosen} part=${part} say=${say} dark=${dark} />` : ""}
  `;
}

/** @param {{part: Part, say: import("rollplane/parts").Say, dark: boolean}} props */
function One({ part, say, dark }) {
  const marks = part.charts.find((chart) => chart.marks.length)?.marks ?? [];
  return html`<article>
    <h2>${part.title}</h2>
    <${Figures} figures=${part.figures} say=${say} />
    ${marks.length
      ? html`<ul class="lines" aria-label=${say("marks")}>
          ${marks.map(([at, label]) => html`<li><time>${duration(at)}</time> ${label}</li>`)}
        </ul>`
      : ""}
    <div class="charts">${part.charts.map((chart) => html`<${Lines} key=${chart.title} chart=${chart} say=${say} dark=${dark} />`)}</div>
    ${part.tables.map((table) => html`<${Rows} key=${table.title} table=${table} />`)}
  </article>`;
}

/** @param {{table: Table}} props */
function Rows({ table }) {
  return html`<div class="wide" tabindex="0" role="region" aria-label=${table.title}>
    <table class="numbers">
      <caption>${table.title}</caption>
      <thead><tr>${table.head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>
        ${table.rows.map(
          ([name, ...cells]) => html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
