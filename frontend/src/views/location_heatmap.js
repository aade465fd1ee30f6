// A weighting over all locations and steps.

/** @import {Model} from './model.js' */
/** @import {PlotSpec} from './panel.js' */
/** @import {StageName} from './stages.js' */
import {exact} from './format.js';
import {locationAxisDown} from './layout.js';
import {isScaled, scaledWeighting, weightingScale} from './scales.js';
import {timeHeatmap} from './time_heatmap.js';

/**
 * @typedef {object} LocationHeatmap
 * @property {string} id
 * @property {string} title
 * @property {string} symbol
 * @property {string} caption
 * @property {number} height
 * @property {number|null} [selects]
 * @property {StageName} stage
 * @property {(model: Model) => number} head Index on the head axis.
 * @property {string} letter Of the stage in plain text.
 * @property {string} bar The same beside a colour bar.
 */

/**
 * @param {LocationHeatmap} parts
 * @returns {PlotSpec} One stage of a head, or what it has more than in the pinned step.
 */
export function locationHeatmap({stage, head, letter, bar, ...words}) {
  return timeHeatmap({
    ...words,
    rowLink: 'location',
    rowAxis: locationAxisDown,
    layers: (model) => [{
      get rows() {
        return model.data.matrix(stage, head(model)).map((row) => (
          scaledWeighting(model, row, model.reference === null ? null : row[model.reference])
        ));
      },
      ...(isScaled(model) ? {} : {pooled: (columns, filling) => model.data.pooled(stage, [head(model)], columns, filling)}),
      scale: weightingScale(model),
      bar: model.reference === null ? bar : `${bar} − pinned`,
    }],
    depends: (model) => [head(model), model.reference, model.scale.weighting],
    read: (model, step, row) => readStage(model, {stage, head: head(model), letter}, step, row),
    note: ({reference}) => (reference === null ? '' : `minus t = ${reference + 1}`),
  });
}

/**
 * @param {Model} model
 * @param {{stage: StageName, head: number, letter: string}} what
 * @param {number} step
 * @param {number} row
 * @returns {string|null}
 */
function readStage({data, reference}, {stage, head, letter}, step, row) {
  const {axes, dtype, heads} = data.header;
  if (!(row >= 0 && row < axes.location)) return null;
  const weight = data.value(stage, step, head, row);
  const lines = [`t = ${step + 1} · location ${row} · ${heads[head].name}`, `${letter} = ${exact(weight, dtype)}`];
  if (reference !== null) lines.push(`− pinned = ${exact(weight - data.value(stage, reference, head, row), 'float64')}`);
  return lines.join('\n');
}
