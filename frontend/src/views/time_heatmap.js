/** @import {Trace} from '../plotly_types.d.ts' */
/** @import {Layer} from './cells.js' */
/** @import {Columns} from '../level_of_detail.js' */
/** @import {AxisSpec, Size} from './layout.js' */
/** @import {LinkedAxis, Model} from './model.js' */
/** @import {CellsOf, PlotSpec} from './panel.js' */
import {sharing} from '../level_of_detail.js';
import {areaOf} from '../plotly.js';
import {gridOf, heatmaps, pooledNote, sharedRows} from './cells.js';
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
  const down = (/** @type {Model} */ model, /** @type {Size} */ size) => (
    rowLink ? sharedRows(rowAxis(model, pixels(size)), model.data.header.axes[rowLink], pixels(size)) : null);
  /** @type {CellsOf} */
  const grid = (model, size, from, before) => {
    const {data, received} = model;
    return gridOf(layers(model), {x: 1, count: data.header.steps, received, across: sharedColumns(model, size), down: down(model, size)},
      {arrivedFrom: (step) => data.arrivedFrom(step), from, before});
  };
  return {
    id,
    title,
    symbol,
    caption,
    height,
    selects,
    note: (model, size) => [
      note?.(model), pooledNote(sharedColumns(model, size), 'steps a column'), pooledNote(down(model, size), `${rowLink ?? ''}s a row`),
    ].filter(Boolean).join(' · '),
    links: {x: 'time', y: rowLink},
    depends,
    area: (model, size) => areaOf({...size, margin: TIME_MARGIN}, timeRange(model), rowAxis(model, pixels(size)).range),
    figure(model, size) {
      const y = rowAxis(model, pixels(size));
      return {
        traces: [...heatmaps(grid(model, size), model.theme), phaseLines(model, y.range), ...(marks?.(model) ?? [])],
        layout: baseLayout(model.theme, size, TIME_MARGIN, {x: timeAxis(model, size), y, shapes: pinShapes(model)}),
      };
    },
    cells: grid,
    motion: {kind: 'cursor', marks: pinShapes},
    read(model, x, y) {
      const [step, row] = [Math.round(x) - 1, Math.round(y)];
      return model.data.holds(step) ? read(model, step, row) : `t = ${step + 1}: has not arrived yet`;
    },
  };
}

/**
 * The steps that share a column: one each, unless there are more of them than can be drawn.
 *
 * @param {Model} model
 * @param {Size} size
 * @returns {Columns|null} Of the steps in sight; null if the whole trace has room.
 */
export function sharedColumns(model, {width}) {
  const [low, high] = timeRange(model);
  return sharing([low - 0.5, high - 0.5], model.data.header.steps, width - TIME_MARGIN.l - TIME_MARGIN.r);
}
