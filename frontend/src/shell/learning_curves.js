// Learning curves of any set of runs: a measure against sequences; runs that differ in seed alone are one curve with its range.

/** @import {Figure} from '../plotly_types.d.ts' */
/** @import {MetricRow, RunInfo} from '../state.js' */
import {Latest} from '../latest.js';
import {drawFigure, loadPlotly} from '../plotly.js';
import {el, replaceChildren} from './dom.js';

/** Okabe-Ito colours, which colour-blind people tell apart; the first is used on light and dark alike. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];
/** Of the lines, once the colours have been used up: as Plotly calls it, and as CSS does. */
const DASHES = /** @type {const} */ ([['solid', 'solid'], ['dash', 'dashed'], ['dot', 'dotted']]);
const SIZE = Object.freeze({width: 780, height: 260});

/** @typedef {{run: RunInfo, rows: MetricRow[]}} Measured */
/** @typedef {{runs: string[], x: number[], median: number[], low: number[], high: number[], name: string}} Curve */

/**
 * @param {RunInfo} run
 * @returns {Record<string, unknown>} What two runs share if they differ in seed alone, and in when to stop, by name.
 */
function settingsOf({plan: {task, config, recipe, memory}}) {
  const {input_size: _in, output_size: _out, ...machine} = config;  // they follow from the task
  const {max_iterations: _end, ...learning} = recipe;
  return {...task, ...machine, ...learning, memory};
}

/**
 * @param {RunInfo} run
 * @returns {string} The same for two runs that differ in seed alone.
 */
export function kindOf(run) {
  return JSON.stringify(settingsOf(run));
}

/** @param {RunInfo} run */
function baseOf({plan: {task, config, memory}}) {
  return `${task.name}, ${memory ? config.controller : 'no memory'}`;
}

/**
 * @param {RunInfo} run
 * @param {RunInfo[]} others Of the same task and controller.
 * @returns {string[]} The run's settings that not all of the others have.
 */
function apart(run, others) {
  const [mine, theirs] = [settingsOf(run), others.map(settingsOf)];
  return Object.keys(mine)
    .filter((name) => theirs.some((one) => JSON.stringify(one[name]) !== JSON.stringify(mine[name])))
    .map((name) => `${name.replaceAll('_', ' ')} ${typeof mine[name] === 'string' ? mine[name] : JSON.stringify(mine[name])}`);
}

/** @param {RunInfo[]} runs Of one kind. */
function seedsOf(runs) {
  const {size} = new Set(runs.map(({plan}) => plan.seed));
  return size === 1 ? `seed ${runs[0].plan.seed}` : `${size} seeds`;
}

/**
 * @template Item
 * @param {Item[]} items
 * @param {(item: Item) => string} keyOf
 * @returns {Map<string, Item[]>} The items by key, keys and items in their order.
 */
function grouped(items, keyOf) {
  /** @type {Map<string, Item[]>} */
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/**
 * @param {Measured} measured
 * @param {number} sequences
 * @param {'loss_bits'|'wrong_bits'} measure
 * @returns {number[]} What the run was last found to be by then; nothing before its first measurement, nor after the last of
 *   one that is not finished, for that may still become anything.
 */
function valueAt({run, rows}, sequences, measure) {
  const over = run.status !== 'finished' && sequences > (rows.at(-1)?.sequences ?? 0);
  const last = over ? undefined : rows.findLast((row) => row.sequences <= sequences);
  return last ? [last[measure]] : [];
}

/**
 * @param {Measured[]} measured
 * @param {'loss_bits'|'wrong_bits'} measure
 * @returns {Curve[]} One for each kind of run, told apart by what differs: median and range over its seeds, wherever one was
 *   measured. A finished run counts on with its last measurement, so that no curve jumps where one of its seeds ends.
 */
export function curvesOf(measured, measure) {
  const kinds = [...grouped(measured, ({run}) => kindOf(run)).values()];
  const alike = grouped(kinds.map(([{run}]) => run), baseOf);
  return kinds.map((same) => {
    const runs = same.map(({run}) => run);
    const x = [...new Set(same.flatMap(({rows}) => rows.map(({sequences}) => sequences)))].sort((a, b) => a - b);
    const at = x.map((sequences) => same.flatMap((one) => valueAt(one, sequences, measure)));
    return {
      runs: runs.map(({id}) => id),
      x,
      median: at.map(median),
      low: at.map((values) => Math.min(...values)),
      high: at.map((values) => Math.max(...values)),
      name: [baseOf(runs[0]), ...apart(runs[0], alike.get(baseOf(runs[0])) ?? []), seedsOf(runs)].join(', '),
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

/**
 * @returns {{root: HTMLElement, draw: (measured: Measured[], measure: 'loss_bits'|'wrong_bits') => Promise<Map<string, string>>}}
 *   Drawing gives the colour of each run's curve, by the run's id.
 */
export function learningCurves() {
  const host = el('div', {class: 'curves', role: 'img', 'aria-label': 'Learning curves: a measure against sequences trained on'});
  host.style.height = `${SIZE.height}px`;
  const legend = el('ul', {class: 'curves-legend'});
  return {
    root: el('figure', {class: 'curves-figure'}, host, legend, el('figcaption', {class: 'text-muted'},
      'Runs that differ in seed alone are one curve: their median, within their range. A finished run counts on with its last measurement.')),
    async draw(measured, measure) {
      await loadPlotly();
      const [curves, width] = [curvesOf(measured, measure), host.clientWidth || SIZE.width];
      await drawFigure(host, figureOf(curves, measure, width, getComputedStyle(host)));
      replaceChildren(legend, ...curves.map(({name}, index) => {
        const {color, dash: [, style]} = strokeOf(index);
        return el('li', {}, el('i', {style: `border-top-color:${color};border-top-style:${style}`, 'aria-hidden': 'true'}), name);
      }));
      return new Map(curves.flatMap(({runs}, index) => runs.map((id) => /** @type {const} */ ([id, strokeOf(index).color]))));
    },
  };
}

/** @param {number} index Of a curve. */
function strokeOf(index) {
  return {color: COLORS[index % COLORS.length], dash: DASHES[Math.floor(index / COLORS.length) % DASHES.length]};
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
    traces: curves.flatMap(({x, median: y, low, high}, index) => {
      const {color, dash: [dash]} = strokeOf(index);
      const line = {type: 'scatter', mode: 'lines', x, hovertemplate: `%{y:.4g} bits after %{x} sequences<extra></extra>`};
      return [
        {...line, y: low, line: {width: 0, color}, showlegend: false, hoverinfo: 'skip', hovertemplate: null},
        {...line, y: high, line: {width: 0, color}, fill: 'tonexty', fillcolor: `${color}33`, showlegend: false, hoverinfo: 'skip', hovertemplate: null},
        {...line, y, line: {width: 2, color, dash}},
      ];
    }),
    layout: {
      width, height: SIZE.height, margin: {l: 60, r: 12, t: 10, b: 44, autoexpand: false}, shapes: [],
      paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', font: {color: text},
      xaxis: {...axis, title: title('sequences trained on'), rangemode: 'tozero'},
      yaxis: {...axis, title: title(measure === 'loss_bits' ? 'loss, bits per sequence' : 'wrong bits per sequence'), rangemode: 'tozero'},
      showlegend: false,
    },
  };
}
