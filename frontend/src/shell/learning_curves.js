// Learning curves of any set of runs: a measure against sequences; runs that differ in seed alone are one curve with its range.

/** @import {Figure} from '../plotly_types.d.ts' */
/** @import {MetricRow, RunInfo} from '../state.js' */
import {Latest} from '../latest.js';
import {drawFigure, loadPlotly} from '../plotly.js';
import {el} from './dom.js';

/** Okabe-Ito colours, which colour-blind people tell apart; the first is used on light and dark alike. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
const SIZE = Object.freeze({width: 780, height: 260});

/** @typedef {{run: RunInfo, rows: MetricRow[]}} Measured */
/** @typedef {{x: number[], median: number[], low: number[], high: number[], name: string}} Curve */

/**
 * What two runs share if they differ in seed alone, in words.
 *
 * @param {RunInfo} run
 * @returns {string}
 */
export function kindOf({plan: {task, config, recipe, memory}}) {
  return JSON.stringify([task, config, {...recipe, max_iterations: null}, memory]);
}

/**
 * @param {Measured[]} measured
 * @param {'loss_bits'|'wrong_bits'} measure
 * @returns {Curve[]} One for each kind of run: median and range over its seeds, wherever one was measured. A run that ended
 *   earlier counts on with its last measurement, so that no curve jumps where one of its seeds ends.
 */
export function curvesOf(measured, measure) {
  /** @type {Map<string, Measured[]>} */
  const kinds = new Map();
  for (const one of measured) kinds.set(kindOf(one.run), [...(kinds.get(kindOf(one.run)) ?? []), one]);
  return [...kinds.values()].map((same) => {
    const x = [...new Set(same.flatMap(({rows}) => rows.map(({sequences}) => sequences)))].sort((a, b) => a - b);
    const at = x.map((sequences) => same.flatMap(({rows}) => rows.findLast((row) => row.sequences <= sequences)?.[measure] ?? []));
    const [{run: {plan}}] = same;
    const {size} = new Set(same.map(({run}) => run.plan.seed));
    const seeds = size === 1 ? `seed ${plan.seed}` : `${size} seeds`;
    return {
      x,
      median: at.map(median),
      low: at.map((values) => Math.min(...values)),
      high: at.map((values) => Math.max(...values)),
      name: `${plan.task.name}, ${plan.memory ? plan.config.controller : 'no memory'}, ${seeds}`,
    };
  });
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Asks for the measurements of runs, and draws those that were asked for last, in whichever order the answers come.
 *
 * @param {object} parts
 * @param {(id: string, signal: AbortSignal) => Promise<MetricRow[]>} parts.metricsOf
 * @param {(measured: Measured[]) => unknown} parts.draw
 * @param {(error: unknown) => void} parts.fail
 * @param {AbortSignal} parts.signal
 * @returns {(runs: RunInfo[]) => void}
 */
export function latestMeasured({metricsOf, draw, fail, signal}) {
  const drawing = new Latest();
  signal.addEventListener('abort', () => drawing.end(), {once: true});
  return async (runs) => {
    const mine = drawing.begin();
    try {
      const measured = await Promise.all(runs.map(async (run) => ({run, rows: await metricsOf(run.id, mine)})));
      if (measured.length > 0 && !mine.aborted) await draw(measured);
    } catch (error) {
      if (!mine.aborted) fail(error);
    }
  };
}

/** @returns {{root: HTMLElement, draw: (measured: Measured[], measure: 'loss_bits'|'wrong_bits') => Promise<void>}} */
export function learningCurves() {
  const host = el('div', {class: 'curves', role: 'img', 'aria-label': 'Learning curves: a measure against sequences trained on'});
  host.style.height = `${SIZE.height}px`;
  return {
    root: el('figure', {class: 'curves-figure'}, host, el('figcaption', {class: 'text-muted'},
      'Runs that differ in seed alone are one curve: their median, within their range. A run that ended earlier counts on with its last measurement.')),
    async draw(measured, measure) {
      await loadPlotly();
      const width = host.clientWidth || SIZE.width;
      await drawFigure(host, figureOf(curvesOf(measured, measure), measure, width, getComputedStyle(host)));
    },
  };
}

/**
 * @param {Curve[]} curves
 * @param {'loss_bits'|'wrong_bits'} measure
 * @param {number} width
 * @param {CSSStyleDeclaration} style
 * @returns {Figure}
 */
function figureOf(curves, measure, width, style) {
  const [text, grid] = [style.getPropertyValue('--text-muted'), style.getPropertyValue('--border')];
  const axis = {gridcolor: grid, linecolor: grid, zerolinecolor: grid, tickfont: {color: text, size: 11}};
  const title = (/** @type {string} */ words) => ({text: words, font: {color: text, size: 12}});
  return {
    traces: curves.flatMap(({x, median: y, low, high, name}, index) => {
      const color = COLORS[index % COLORS.length];
      const line = {type: 'scatter', mode: 'lines', x, hovertemplate: `%{y:.4g} bits after %{x} sequences<extra>${name}</extra>`};
      return [
        {...line, y: low, line: {width: 0, color}, showlegend: false, hoverinfo: 'skip', hovertemplate: null},
        {...line, y: high, line: {width: 0, color}, fill: 'tonexty', fillcolor: `${color}33`, showlegend: false, hoverinfo: 'skip', hovertemplate: null},
        {...line, y, name, line: {width: 2, color}},
      ];
    }),
    layout: {
      width, height: SIZE.height, margin: {l: 60, r: 12, t: 10, b: 44, autoexpand: false}, shapes: [],
      paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', font: {color: text},
      xaxis: {...axis, title: title('sequences trained on'), rangemode: 'tozero'},
      yaxis: {...axis, title: title(measure === 'loss_bits' ? 'loss, bits per sequence' : 'wrong bits per sequence'), rangemode: 'tozero'},
      showlegend: curves.length > 1, legend: {x: 1, xanchor: 'right', y: 1, font: {color: text, size: 11}},
    },
  };
}
