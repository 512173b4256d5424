// The page of a finished run: its data lie in the document.
import { html, render } from "rollplane/html";
import { Report } from "rollplane/report";

const data = /** @type {HTMLElement} */ (document.getElementById("recording")).textContent ?? "";
const place = /** @type {HTMLElement} */ (document.getElementById("page"));
place.textContent = "";
render(html`<${Report} recording=${JSON.parse(data)} />`, place);
