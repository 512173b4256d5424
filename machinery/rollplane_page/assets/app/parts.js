// What every page has: its title and language, its verdict, its figures, whether it is dark.
import { html, useEffect, useMemo, useState } from "rollplane/html";
import { preferred, speaker } from "rollplane/words";

/** @typedef {(key: string, values?: Record<string, string | number>) => string} Say */

/** @returns {{say: Say, language: string, change: () => void}} */
export function useLanguage() {
  const [language, setLanguage] = useState(preferred());
  const say = useMemo(() => speaker(language), [language]);
  useEffect(() => void (document.documentElement.lang = language), [language]);
  return { say, language, change: () => setLanguage(language === "en" ? "zh" : "en") };
}

/** Drawn, since not every machine has letters of both languages. */
function Globe() {
  return html`<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="none" stroke="currentColor">
    <circle cx="8" cy="8" r="6.5" /><ellipse cx="8" cy="8" rx="3" ry="6.5" /><path d="M1.5 8h13" />
  </svg>`;
}

/** @param {{title: string, say: Say, change: () => void}} props */
export function Header({ title, say, change }) {
  return html`<header>
    <h1>${title}</h1>
    <button class="plain language" onClick=${change} aria-label=${`${say("language_name")} (${say("language")})`}>
      <${Globe} /> ${say("language")}
    </button>
  </header>`;
}

export function useDark() {
  const query = useMemo(() => matchMedia("(prefers-color-scheme: dark)"), []);
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const changed = () => setDark(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, [query]);
  return dark;
}

/** @param {{verdict: import("rollplane/model").Verdict | null}} props */
export function Verdict({ verdict }) {
  if (!verdict) return "";
  const sign = verdict.tone === "good" ? "✓" : verdict.tone === "bad" ? "✗" : "•";
  return html`<p class=${`verdict ${verdict.tone}`}>
    <span aria-hidden="true">${sign}</span> <strong>${verdict.sentence}</strong> ${verdict.reason}
  </p>`;
}

/** @param {{figures: import("rollplane/model").Figure[], say: Say}} props */
export function Figures({ figures, say }) {
  if (!figures.length) return "";
  return html`<section aria-label=${say("figures")}>
    <dl class="figures">
      ${figures.map(
        ({ label, value, tone }) => html`<div class=${tone}>
          <dt>${label}</dt>
          <dd>${tone === "bad" ? html`<span aria-hidden="true">✗ </span>` : ""}${value}</dd>
        </div>`,
      )}
    </dl>
  </section>`;
}
