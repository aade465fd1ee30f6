// The stages of the selected head over time: what stood before its weighting in every step.

/** @import {Model} from '../views/model.js' */
/** @import {PlotSpec} from '../views/panel.js' */
/** @import {StageName} from '../views/stages.js' */
import {exact} from '../views/format.js';
import {locationAxisDown} from '../views/layout.js';
import {scaledWeighting, weightingScale} from '../views/scales.js';
import {STAGE_WORDS} from '../views/stage_plots.js';
import {STAGES} from '../views/stages.js';
import {timeHeatmap} from '../views/time_heatmap.js';

/** In CSS pixels: low, since three of them stand below each other. */
const HEIGHT = 130;

/**
 * @param {StageName} stage
 * @returns {string} Its symbol beside a colour bar, where Plotly knows no classes: the tilde is a character.
 */
export function barSymbol(stage) {
  return STAGE_WORDS[stage].symbol.replace('<i class="tilde">w</i>', '<i>w\u0303</i>');
}

/** @returns {PlotSpec[]} One a stage, from content to shifted; the last stage is the weighting itself. */
export function stageHeatmaps() {
  return STAGES.slice(1, -1).map(stageHeatmap);
}

/**
 * @param {StageName} stage
 * @returns {PlotSpec}
 */
function stageHeatmap(stage) {
  const {title, symbol, caption, letter} = STAGE_WORDS[stage];
  return timeHeatmap({
    id: `stage-over-time-${stage.replace('_', '-')}`,
    title,
    symbol: `${symbol}(<i>i</i>)`,
    caption,
    height: HEIGHT,
    rowLink: 'location',
    rowAxis: locationAxisDown,
    layers: (model) => [{
      rows: model.data.matrix(stage, model.head).map((row) => (
        scaledWeighting(model, row, model.reference === null ? null : row[model.reference])
      )),
      scale: weightingScale(model),
      bar: model.reference === null ? barSymbol(stage) : `${barSymbol(stage)} − pinned`,
    }],
    depends: ({head, reference, scale}) => [head, reference, scale.weighting],
    read: (model, step, row) => readStage(model, {stage, letter}, step, row),
    note: ({reference}) => (reference === null ? '' : `minus t = ${reference + 1}`),
  });
}

/**
 * @param {Model} model
 * @param {{stage: StageName, letter: string}} named
 * @param {number} step
 * @param {number} row
 * @returns {string|null}
 */
function readStage({data, head, reference}, {stage, letter}, step, row) {
  const {axes, dtype, heads} = data.header;
  if (!(row >= 0 && row < axes.location)) return null;
  const weight = data.value(stage, step, head, row);
  const lines = [`t = ${step + 1} · location ${row} · ${heads[head].name}`, `${letter} = ${exact(weight, dtype)}`];
  if (reference !== null) lines.push(`− pinned = ${exact(weight - data.value(stage, reference, head, row), 'float64')}`);
  return lines.join('\n');
}
