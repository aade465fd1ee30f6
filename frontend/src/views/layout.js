// Layouts, axes and colour bars that the plots share.

/** @import {Layout, Shape, Trace} from '../plotly_types.d.ts' */
/** @import {Model} from './model.js' */
/** @import {Theme} from './theme.js' */
import {tick} from './format.js';

/** @typedef {{width: number, height: number}} Size Of a plot's host in CSS pixels. */
/** @typedef {{l: number, r: number, t: number, b: number}} Margin */
/** @typedef {[number, number]} Range */
/** @typedef {{title: string, range: Range, values: number[], labels?: string[], fixed?: boolean}} AxisSpec */

/** Margins of every plot over time: equal, so that the columns of plots in one column line up. */
export const TIME_MARGIN = Object.freeze({l: 70, r: 66, t: 5, b: 31});

/**
 * @param {Theme} theme
 * @param {Size} size
 * @param {Margin} margin
 * @param {{x: AxisSpec, y: AxisSpec, shapes?: Shape[]}} parts
 * @returns {Layout}
 */
export function baseLayout(theme, {width, height}, margin, {x, y, shapes = []}) {
  return {
    width,
    height,
    margin: {...margin, autoexpand: false},
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: {family: theme.font, size: 11, color: theme.muted},
    hovermode: false,
    dragmode: 'zoom',
    showlegend: false,
    bargap: 0.3,
    xaxis: axis(theme, x, 5),
    yaxis: axis(theme, y, 4),
    shapes,
  };
}

/**
 * @param {Theme} theme
 * @param {AxisSpec} spec
 * @param {number} standoff
 * @returns {Record<string, unknown>}
 */
function axis(theme, {title, range, values, labels, fixed = false}, standoff) {
  return {
    title: {text: title, standoff, font: {size: 11, color: theme.muted}},
    range,
    tickmode: 'array',
    tickvals: values,
    ticktext: labels ?? values.map(tick),
    tickfont: {size: 10},
    tickangle: 0,
    ticks: 'outside',
    ticklen: 3,
    tickcolor: theme.line,
    linecolor: theme.line,
    showline: true,
    showgrid: false,
    zeroline: false,
    automargin: false,
    fixedrange: fixed,
  };
}

/**
 * Whole numbers at a round distance.
 *
 * @param {Range} range In either order.
 * @param {number} most How many at most.
 * @returns {number[]}
 */
export function wholeTicks(range, most) {
  return ticksEvery(range, Math.max(1, roundStep(length(range) / Math.max(1, most))));
}

/**
 * Numbers at a round distance.
 *
 * @param {Range} range In either order.
 * @param {number} most How many at most, about.
 * @returns {number[]}
 */
export function roundTicks(range, most) {
  return ticksEvery(range, roundStep(length(range) / most));
}

/** @param {Range} range */
function length([from, to]) {
  return Math.abs(to - from);
}

/**
 * @param {Range} range
 * @param {number} step
 * @returns {number[]}
 */
function ticksEvery(range, step) {
  const [first, last] = [Math.ceil(Math.min(...range) / step - 1e-9), Math.floor(Math.max(...range) / step + 1e-9)];
  return Array.from({length: Math.max(0, last - first + 1)}, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/**
 * @param {number} least Above zero.
 * @returns {number} The smallest of …, 0.5, 1, 2, 5, 10, 20, … that is at least this.
 */
function roundStep(least) {
  const unit = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5].find((times) => times * unit >= least * (1 - 1e-9)) ?? 10;
  return factor * unit;
}

/**
 * The visible part of an axis.
 *
 * @param {Range|null} zoom
 * @param {Range} full Low end first.
 * @returns {Range} Low end first; the whole axis if the zoom shows less than half a cell of it.
 */
export function visible(zoom, full) {
  if (!zoom) return full;
  const low = Math.max(full[0], Math.min(...zoom));
  const high = Math.min(full[1], Math.max(...zoom));
  return high - low >= 0.5 ? [low, high] : full;
}

/**
 * @param {Model} model
 * @returns {Range} Of t = step + 1.
 */
export function timeRange({data, zoom}) {
  return visible(zoom.time, [0.5, data.header.steps + 0.5]);
}

/**
 * @param {Model} model
 * @returns {Range} Of location indices, low end first.
 */
export function locationRange({data, zoom}) {
  return visible(zoom.location, [-0.5, data.header.axes.location - 0.5]);
}

/**
 * @param {Model} model
 * @returns {Range} Of word elements, low end first.
 */
export function wordRange({data, zoom}) {
  return visible(zoom.word, [-0.5, data.header.axes.word - 0.5]);
}

/**
 * @param {Model} model
 * @param {Size} size
 * @returns {AxisSpec}
 */
export function timeAxis(model, {width}) {
  const range = timeRange(model);
  return {title: 'step <i>t</i>', range, values: wholeTicks(range, width / 45)};
}

/**
 * @param {Model} model
 * @param {number} pixels Length of the axis.
 * @returns {AxisSpec} With location 0 on top.
 */
export function locationAxisDown(model, pixels) {
  const range = locationRange(model);
  return {title: 'location <i>i</i>', range: upsideDown(range), values: wholeTicks(range, pixels / 26)};
}

/**
 * @param {Range} range
 * @returns {Range}
 */
export function upsideDown([low, high]) {
  return [high, low];
}

/**
 * @param {Theme} theme
 * @param {{title: string, values?: number[], labels?: string[]}} parts
 * @returns {Record<string, unknown>}
 */
export function colorBar(theme, {title, values, labels}) {
  return {
    title: {text: title, side: 'right', font: {size: 11, color: theme.muted}},
    thickness: 9,
    len: 1,
    x: 1,
    xpad: 7,
    ypad: 0,
    outlinewidth: 0,
    ticks: 'outside',
    ticklen: 3,
    tickcolor: theme.line,
    tickfont: {size: 10},
    nticks: 5,
    ticklabeloverflow: 'allow',
    ...(values ? {tickmode: 'array', tickvals: values, ticktext: labels ?? values.map(tick)} : {}),
  };
}

/**
 * @param {Model} model
 * @returns {Shape[]} The pinned step.
 */
export function pinShapes({pinned, theme}) {
  return pinned === null ? [] : columnShapes(pinned, theme, theme.accent, 'dot');
}

/**
 * @param {Model} model
 * @returns {Shape[]} The one cursor, for a picture in which nothing moves.
 */
export function cursorShapes({step, theme}) {
  return columnShapes(step, theme, theme.cursor, 'solid');
}

/**
 * @param {number} step
 * @param {Theme} theme
 * @param {string} color
 * @param {'solid'|'dot'} dash
 * @returns {Shape[]} A frame around the column of t = step + 1, with edges that stand out from any colour under it.
 */
function columnShapes(step, {surface}, color, dash) {
  /** @type {Shape['line'][]} */
  const lines = [{width: 3.5, color: surface, dash: 'solid'}, {width: 1.5, color, dash}];
  return lines.map((line) => ({type: 'rect', x0: step + 0.5, x1: step + 1.5, y0: 0, y1: 1, yref: 'paper', line}));
}

/**
 * @param {Model} model
 * @param {Range} y
 * @returns {Trace} Lines where one phase of the episode ends and the next begins.
 */
export function phaseLines({data, theme}, [from, to]) {
  const starts = phaseStarts(data.episode('phase')).slice(1);
  return {
    type: 'scatter',
    mode: 'lines',
    x: starts.flatMap((step) => [step + 0.5, step + 0.5, null]),
    y: starts.flatMap(() => [from, to, null]),
    line: {color: theme.line, width: 1, dash: 'dot'},
    hoverinfo: 'skip',
  };
}

/**
 * @param {ArrayLike<number>} phases Phase of each step.
 * @returns {number[]} Steps at which a phase starts.
 */
export function phaseStarts(phases) {
  return Array.from(phases, (_, step) => step).filter((step) => step === 0 || phases[step] !== phases[step - 1]);
}
