// A finished run that one can look back through.
import { html, useEffect, useMemo, useState } from "rollplane/html";
import { countsOverTime, momentsOf, podsByRevision, statesAt, waitsAt } from "rollplane/model";
import { duration } from "rollplane/words";
import { Figures, Header, useDark, useLanguage, Verdict } from "rollplane/parts";
import { Chart } from "rollplane/chart";
import { Squares } from "rollplane/squares";

/** @typedef {import("rollplane/parts").Say} Say */

const FRAME_MILLISECONDS = 100;
const FRAMES = 150;
const MOST_EVENTS = 200;

/** @param {{recording: import("rollplane/model").Recording}} props */
export function Report({ recording }) {
  const [at, setAt] = useState(recording.marks[0]?.[0] ?? recording.begin);
  const { say, change } = useLanguage();
  const states = useMemo(() => statesAt(recording, at), [recording, at]);
  const dark = useDark();
  return html`
    <${Header} title=${recording.title} ...${{ say, change }} />
    <${Verdict} verdict=${recording.verdict} />
    <${Figures} figures=${recording.figures} say=${say} />
    <${Clock} recording=${recording} at=${at} onMoment=${setAt} say=${say} />
    ${recording.workloads.length ? "" : html`<p>${say("no_workloads")}</p>`}
    ${recording.workloads.map(
      (_, workload) => html`<${One} key=${workload} ...${{ recording, workload, states, at, say, dark, onMoment: setAt }} />`,
    )}
    <${Waits} recording=${recording} say=${say} onMoment=${setAt} />
    <${Events} recording=${recording} at=${at} say=${say} />
  `;
}

/**
 * @param {{recording: import("rollplane/model").Recording, at: number, say: Say,
 *   onMoment: (at: number | ((now: number) => number)) => void}} props
 */
function Clock({ recording, at, onMoment, say }) {
  const [playing, setPlaying] = useState(false);
  const moments = useMemo(() => momentsOf(recording), [recording]);
  const { begin, end } = recording;
  useEffect(() => {
    if (!playing) return undefined;
    if (at >= end) {
      setPlaying(false);
      return undefined;
    }
    // From wherever it is by then: who moves the slider meanwhile is not taken back.
    const timer = setTimeout(() => onMoment((now) => Math.min(end, now + (end - begin) / FRAMES)), FRAME_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [playing, at]);
  const play = () => {
    if (!playing && at >= end) onMoment(begin);
    setPlaying(!playing);
  };
  const back = moments.findLast((each) => each < at);
  const next = moments.find((each) => each > at);
  const moment = say("moment", { at: duration(at), end: duration(end) });
  return html`<section class="clock" aria-label=${say("time")}>
    <div class="row">
      <button onClick=${play}>${say(playing ? "pause" : "play")}</button>
      <button disabled=${back === undefined} onClick=${() => onMoment(back ?? begin)} aria-label=${say("step_back")}>‹</button>
      <button disabled=${next === undefined} onClick=${() => onMoment(next ?? end)} aria-label=${say("step_on")}>›</button>
      <input type="range" min=${begin} max=${end} step="any" value=${at} aria-label=${say("time")} aria-valuetext=${moment}
        onInput=${(/** @type {any} */ event) => onMoment(Number(event.target.value))} />
      <output>${moment}</output>
    </div>
    ${recording.marks.length
      ? html`<div class="row marks" role="group" aria-label=${say("marks")}>
          ${recording.marks.map(
            ([when, label]) => html`<button class="plain" aria-current=${when === at ? "time" : undefined}
              onClick=${() => onMoment(when)}>${label} <span class="quiet">${say("mark_at", { at: duration(when) })}</span></button>`,
          )}
        </div>`
      : ""}
  </section>`;
}

/**
 * @param {{recording: import("rollplane/model").Recording, workload: number, states: Uint8Array, at: number, say: Say,
 *   dark: boolean, onMoment: (at: number) => void}} props
 */
function One({ recording, workload, states, at, say, dark, onMoment }) {
  const own = recording.workloads[workload];
  const counts = useMemo(() => countsOverTime(recording, workload), [recording, workload]);
  const groups = podsByRevision(recording, workload, states);
  const name = `${own.kind.toLowerCase()}/${own.name}`;
  const available = groups.flat().filter(([, state]) => state === 3).length;
  return html`<article class="workload">
    <h2>${name} <span class="quiet">${own.namespace}</span></h2>
    <p>${say("available")} ${say("of", { count: available, desired: own.desired })}</p>
    <${Chart} ...${{ counts, workload: own, at, onMoment, say, dark }} label=${say("pods_over_time", { name })} />
    ${waitsAt(recording, workload, at).map((sentence) => html`<p class="waiting">${say("waiting", { sentence })}</p>`)}
    <${Squares} ...${{ recording, workload, groups, say }} />
  </article>`;
}

/** @param {{recording: import("rollplane/model").Recording, say: Say, onMoment: (at: number) => void}} props */
function Waits({ recording, say, onMoment }) {
  return html`<section>
    <h2>${say("waits")}</h2>
    ${recording.waits.length
      ? html`<ul class="lines">
          ${recording.waits.map(
            ([begin, end, , sentence]) => html`<li>
              <button class="plain" onClick=${() => onMoment(begin)}>
                ${say("waited", { from: duration(begin), to: duration(end), seconds: duration(end - begin) })}
              </button>
              ${sentence}
            </li>`,
          )}
        </ul>`
      : html`<p class="quiet">${say("no_waits")}</p>`}
  </section>`;
}

/** @param {{recording: import("rollplane/model").Recording, at: number, say: Say}} props */
function Events({ recording, at, say }) {
  const [warnings, setWarnings] = useState(false);
  const [text, setText] = useState("");
  const past = recording.events.filter(
    ([when, warning, ...words]) => when <= at && (warning || !warnings) && words.join(" ").includes(text),
  );
  const shown = past.slice(-MOST_EVENTS).reverse();
  return html`<section>
    <h2>${say("events")}</h2>
    <div class="row">
      <label><input type="checkbox" checked=${warnings} onChange=${() => setWarnings(!warnings)} /> ${say("only_warnings")}</label>
      <label>${say("filter")} <input type="search" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} /></label>
    </div>
    ${shown.length ? "" : html`<p class="quiet">${say("no_events")}</p>`}
    <ul class="lines">
      ${shown.map(
        ([when, warning, reason, about, message]) => html`<li class=${warning ? "warning" : ""}>
          <time>${duration(when)}</time>
          ${warning ? html`<b>${say("warning")}</b>` : ""} <b>${reason}</b> <span class="quiet">${about}</span> ${message}
        </li>`,
      )}
    </ul>
    ${past.length > shown.length ? html`<p class="quiet">${say("more", { count: past.length - shown.length })}</p>` : ""}
  </section>`;
}
