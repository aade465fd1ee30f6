// The stages of the selected head over time: what stood before its weighting in every step.

/** @import {PlotSpec} from '../views/panel.js' */
/** @import {StageName} from '../views/stages.js' */
import {locationHeatmap} from '../views/location_heatmap.js';
import {STAGE_WORDS} from '../views/stage_plots.js';
import {STAGES} from '../views/stages.js';

/** In CSS pixels: low, since three of them stand below each other, but with one for each of 128 locations. */
const HEIGHT = 166;

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
  return locationHeatmap({
    id: `stage-over-time-${stage.replace('_', '-')}`,
    title,
    symbol: `${symbol}(<i>i</i>)`,
    caption,
    height: HEIGHT,
    stage,
    head: (model) => model.head,
    letter,
    bar: barSymbol(stage),
  });
}
