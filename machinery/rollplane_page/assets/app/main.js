// The page of a finished run, of a comparison or of measurements: its data lie in the document.
import { html, render } from "rollplane/html";
import { Comparison } from "rollplane/comparison";
import { Measured } from "rollplane/measured";
import { Report } from "rollplane/report";

const place = /** @type {HTMLElement} */ (document.getElementById("page"));
const read = (/** @type {string} */ id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");

function page() {
  const comparison = read("comparison"), measurements = read("measurements");
  if (comparison) return html`<${Comparison} comparison=${comparison} />`;
  if (measurements) return html`<${Measured} measurements=${measurements} />`;
  return html`<${Report} recording=${read("recording")} />`;
}

place.textContent = "";
render(page(), place);
