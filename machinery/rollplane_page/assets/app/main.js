// The page of a finished run, or of a comparison: its data lie in the document.
import { html, render } from "rollplane/html";
import { Comparison } from "rollplane/comparison";
import { Report } from "rollplane/report";

const read = (/** @type {string} */ id) => JSON.parse(document.getElementById(id)?.textContent ?? "null");
const place = /** @type {HTMLElement} */ (document.getElementById("page"));
const comparison = read("comparison");
place.textContent = "";
render(comparison ? html`<${Comparison} comparison=${comparison} />` : html`<${Report} recording=${read("recording")} />`, place);
