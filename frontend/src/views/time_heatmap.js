/** @import {Trace} from '../plotly_types.d.ts' */
/** @import {Layer} from './cells.js' */
/** @import {AxisSpec, Size} from './layout.js' */
/** @import {LinkedAxis, Model} from './model.js' */
/** @import {PlotSpec} from './panel.js' */
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
    note,
    links: {x: 'time', y: rowLink},
    depends,
    area: (model, size) => areaOf({...size, margin: TIME_MARGIN}, timeRange(model), rowAxis(model, pixels(size)).range),
    figure(model, size) {
      const y = rowAxis(model, pixels(size));
      return {
        traces: [...heatmaps(layers(model), model.theme, 1), phaseLines(model, y.range), ...(marks?.(model) ?? [])],
        layout: baseLayout(model.theme, size, TIME_MARGIN, {x: timeAxis(model, size), y, shapes: pinShapes(model)}),
      };
    },
    cells: {firstX: 1, layers},
    motion: {kind: 'cursor', marks: pinShapes},
    read(model, x, y) {
      const [step, row] = [Math.round(x) - 1, Math.round(y)];
      return step < model.received ? read(model, step, row) : `t = ${step + 1}: has not arrived yet`;
    },
  };
}
