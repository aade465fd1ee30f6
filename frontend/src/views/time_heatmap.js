/** @import {Trace} from '../plotly_types.d.ts' */
/** @import {Grid, Layer} from './cells.js' */
/** @import {AxisSpec, Size} from './layout.js' */
/** @import {LinkedAxis, Model} from './model.js' */
/** @import {PlotSpec} from './panel.js' */
import {columnsOf, pooledRows} from '../level_of_detail.js';
import {areaOf} from '../plotly.js';
import {heatmaps} from './cells.js';
import {TIME_MARGIN, baseLayout, pinShapes, phaseLines, timeAxis, timeRange} from './layout.js';

/**
 * @typedef {object} TimeHeatmap
 * @property {string} id
 * @property {string} title
 * @property {string} symbol
 * @property {string} caption
 * @property {number} height
 * @property {number|null} [selects]
 * @property {LinkedAxis|null} rowLink
 * @property {(model: Model, pixels: number) => AxisSpec} rowAxis With row 0 on top.
 * @property {(model: Model) => Layer[]} layers `rows[row][step]`
 * @property {(model: Model) => unknown[]} depends
 * @property {(model: Model) => Trace[]} [marks]
 * @property {(model: Model, step: number, row: number) => string|null} read
 * @property {(model: Model) => string} [note]
 */

/**
 * @param {TimeHeatmap} parts
 * @returns {PlotSpec} Rows over steps, with the one cursor.
 */
export function timeHeatmap({id, title, symbol, caption, height, selects = null, rowLink, rowAxis, layers, depends, marks,
  read, note}) {
  const pixels = (/** @type {Size} */ size) => size.height - TIME_MARGIN.t - TIME_MARGIN.b;
  return {
    id,
    title,
    symbol,
    caption,
    height,
    selects,
    note: (model, size) => [note?.(model), pooledNote(model, size)].filter(Boolean).join(' · '),
    links: {x: 'time', y: rowLink},
    depends,
    area: (model, size) => areaOf({...size, margin: TIME_MARGIN}, timeRange(model), rowAxis(model, pixels(size)).range),
    figure(model, size) {
      const y = rowAxis(model, pixels(size));
      return {
        traces: [...heatmaps(gridOf(model, size, layers(model)), model.theme), phaseLines(model, y.range), ...(marks?.(model) ?? [])],
        layout: baseLayout(model.theme, size, TIME_MARGIN, {x: timeAxis(model, size), y, shapes: pinShapes(model)}),
      };
    },
    cells: (model, size, from, before) => gridOf(model, size, layers(model), from, before),
    motion: {kind: 'cursor', marks: pinShapes},
    read(model, x, y) {
      const [step, row] = [Math.round(x) - 1, Math.round(y)];
      return model.data.holds(step) ? read(model, step, row) : `t = ${step + 1}: has not arrived yet`;
    },
  };
}

/** More columns than this for each pixel cannot be told apart, not even where a pixel of CSS is two of the screen. */
const COLUMNS_A_PIXEL = 2;

/**
 * The steps that share a column: one each, unless there are more of them than can be told apart.
 *
 * @param {Model} model
 * @param {Size} size
 * @returns {import('../level_of_detail.js').Columns|null} Of the steps in sight; null if the whole trace has room.
 */
export function sharedColumns(model, {width}) {
  const most = Math.max(1, COLUMNS_A_PIXEL * (width - TIME_MARGIN.l - TIME_MARGIN.r));
  const {steps} = model.data.header;
  if (steps <= most) return null;
  const [low, high] = timeRange(model);
  return columnsOf(Math.max(0, Math.floor(low - 0.5)), Math.min(steps, Math.ceil(high - 0.5)), most);
}

/**
 * @param {Model} model
 * @param {Size} size
 * @param {Layer[]} layers `rows[row][step]`
 * @param {number} [from] The first column that is looked at.
 * @param {Grid} [before] With the columns before that one.
 * @returns {Grid}
 */
function gridOf(model, size, layers, from = 0, before) {
  const shared = sharedColumns(model, size);
  const {received, data} = model;
  const arrivedFrom = (/** @type {number} */ step) => data.arrivedFrom(step);
  if (!shared) return {x: 1, width: 1, columns: data.header.steps, arrived: received, layers};
  const {first, span, columns} = shared;
  return {
    x: first + (span + 1) / 2,
    width: span,
    columns,
    arrived: Math.max(0, Math.min(columns, Math.ceil((received - first) / span))),
    layers: layers.map((layer, index) => {
      const into = /** @type {Float32Array[]|undefined} */ (before?.layers[index].rows);
      return {...layer, rows: pooledRows(layer.rows, shared, {arrivedFrom, from, gaps: layer.gaps, into})};
    }),
  };
}

/**
 * @param {Model} model
 * @param {Size} size
 * @returns {string} What a column stands for, if not for one step.
 */
function pooledNote(model, size) {
  const span = sharedColumns(model, size)?.span ?? 1;
  return span > 1 ? `largest of ${span} steps a column` : '';
}
