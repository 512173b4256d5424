// What all charts have in common: made anew when what they show changes, as wide as their place, in the page's colours.
import uPlot from "uplot";
import { useLayoutEffect, useRef } from "rollplane/html";
import { amount } from "rollplane/words";

export const HEIGHT = 220;

/** @param {string} name */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * Keep in `place` what `make` makes, for as long as `dependencies` stay; returns a reference to it.
 * @param {{current: HTMLElement | null}} place
 * @param {(width: number, element: HTMLElement) => any} make
 * @param {unknown[]} dependencies
 */
export function usePlot(place, make, dependencies) {
  const plot = useRef(/** @type {any} */ (null));
  useLayoutEffect(() => {
    const element = /** @type {HTMLElement} */ (place.current);
    const made = (plot.current = make(element.clientWidth, element));
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, dependencies);
  return plot;
}

/** @type {(plot: any, least: number, most: number) => [number, number]} */
export const upTo = (_plot, _least, most) => [0, Math.max(1, most * 1.08)];

/**
 * @param {string} label @param {string} stroke @param {object} more
 */
export const line = (label, stroke, more) => ({
  label,
  stroke,
  paths: uPlot.paths.stepped?.({ align: 1 }),
  points: { show: false },
  ...more,
});

/**
 * Return the axes of a chart whose places are of the unit `across` and whose values are of `unit`.
 * @param {string} across @param {string} unit @param {number[]} [steps]
 */
export function axes(across, unit, steps) {
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  const told = (/** @type {string} */ of) => (/** @type {any} */ _, /** @type {(number | null)[]} */ at) =>
    at.map((each) => (each === null ? "" : amount(each, of)));
  const seconds = (/** @type {any} */ _, /** @type {number[]} */ at) => at.map((each) => `${each} s`);
  return [
    { ...axis, size: 30, values: across === "s" ? seconds : told(across) },
    { ...axis, size: unit ? 64 : 44, ...(unit ? { values: told(unit) } : {}), ...(steps ? { incrs: steps } : {}) },
  ];
}

/**
 * Draw a line upright at a place.
 * @param {any} plot @param {number} at @param {{stroke?: string, width?: number, dash?: number[]}} [look]
 */
export function markAt(plot, at, { stroke = "--accent", width = 2, dash = [] } = {}) {
  const x = plot.valToPos(at, "x", true);
  plot.ctx.save();
  plot.ctx.strokeStyle = colour(stroke);
  plot.ctx.lineWidth = width;
  plot.ctx.setLineDash(dash);
  plot.ctx.beginPath();
  plot.ctx.moveTo(x, plot.bbox.top);
  plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
  plot.ctx.stroke();
  plot.ctx.restore();
}
