// What the page says, in English and Chinese. `{name}` stands for a value.

/** @typedef {Record<string, string>} Words */

/** @type {Words} */
const ENGLISH = {
  language: "ZH",
  language_name: "中文",
  mark_at: "at {at}",
  figures: "In figures",
  time: "Time",
  play: "Play",
  pause: "Pause",
  step_back: "Change before",
  step_on: "Next change",
  moment: "{at} of {end}",
  marks: "Moments",
  pods_over_time: "{name}: pods over time",
  available: "available",
  all_pods: "all pods",
  least_available: "least available promised",
  most_pods: "most pods promised",
  ready: "ready",
  of: "{count} of {desired}",
  group: "{revision}: {told}",
  no_pods: "no pods",
  state_0: "pending",
  state_1: "starting",
  state_2: "ready",
  state_3: "available",
  state_4: "terminating",
  state_5: "failing",
  on_node: "{name} on {node}: {state}",
  on_no_node: "{name}: {state}",
  waiting: "Waits: {sentence}",
  waits: "What waited for what",
  waited: "{from} to {to} ({seconds})",
  no_waits: "Nothing waited for a reason worth telling.",
  events: "Events until this moment",
  only_warnings: "Warnings only",
  no_events: "None yet.",
  no_workloads: "No workloads were seen.",
  filter: "Filter",
  warning: "Warning",
  combinations: "Combinations",
  number: "No.",
  compared: "Least available over time to finish, from P50 to P95",
  more: "{count} earlier ones are not shown",
  percentile: "Percentile",
  runs: "Runs",
};

/** @type {Words} */
const CHINESE = {
  language: "EN",
  language_name: "English",
  mark_at: "（{at}）",
  figures: "数据",
  time: "时间",
  play: "播放",
  pause: "暂停",
  step_back: "上一个变化",
  step_on: "下一个变化",
  moment: "{at} / {end}",
  marks: "时刻",
  pods_over_time: "{name}：Pod 随时间变化",
  available: "可用",
  all_pods: "全部 Pod",
  least_available: "承诺的最少可用数",
  most_pods: "承诺的最多 Pod 数",
  ready: "就绪",
  of: "{count} / {desired}",
  group: "{revision}：{told}",
  no_pods: "没有 Pod",
  state_0: "等待中",
  state_1: "启动中",
  state_2: "就绪",
  state_3: "可用",
  state_4: "终止中",
  state_5: "失败",
  on_node: "{name}，节点 {node}：{state}",
  on_no_node: "{name}：{state}",
  waiting: "等待：{sentence}",
  waits: "等待的原因",
  waited: "{from} 至 {to}（{seconds}）",
  no_waits: "没有值得说明的等待。",
  events: "此刻之前的事件",
  only_warnings: "仅警告",
  no_events: "暂无。",
  no_workloads: "没有工作负载。",
  filter: "筛选",
  warning: "警告",
  combinations: "组合",
  number: "编号",
  compared: "最少可用比例与完成时间（P50 至 P95）",
  more: "另有 {count} 条较早的未显示",
  percentile: "百分位",
  runs: "运行",
};

/** @type {Record<string, Words>} */
const LANGUAGES = { en: ENGLISH, zh: CHINESE };

/**
 * Return what says things in `language` ("en" or "zh").
 * @param {string} language
 * @returns {(key: string, values?: Record<string, string | number>) => string}
 */
export function speaker(language) {
  const words = LANGUAGES[language] ?? ENGLISH;
  return (key, values = {}) =>
    (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** The language of the browser, as far as there is a translation. */
export const preferred = () => (navigator.language.startsWith("zh") ? "zh" : "en");

/**
 * Return seconds as people write them: `0.4 s`, `12 s`, `3 min 05 s`, `−5.0 s`.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 0) return `−${duration(-seconds)}`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const rest = `${String(whole % 60).padStart(2, "0")} s`;
  return minutes < 60 ? `${minutes} min ${rest}` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * Return `value` with its unit: seconds in the unit that suits them, percents, counts.
 * @param {number} value @param {string} unit
 */
export function amount(value, unit) {
  if (unit === "s") return value === 0 ? "0" : value < 1 ? `${rounded(value * 1000)} ms` : `${rounded(value)} s`;
  return `${rounded(value)}${unit === "%" ? " %" : unit ? ` ${unit}` : ""}`;
}

/** Three digits that count. @param {number} value */
const rounded = (value) => (Math.abs(value) >= 100 ? Math.round(value).toString() : String(Number(value.toPrecision(3))));
