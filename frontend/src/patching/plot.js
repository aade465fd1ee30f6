// The map of activation patching as a plot: quantities of heads over steps, with a map of colours centred at zero.

/** @import {Model} from '../views/model.js' */
/** @import {PlotSpec} from '../views/panel.js' */
/** @import {Values} from '../views/scales.js' */
/** @import {PatchMap, PatchRow} from './asked.js' */
import {brief} from '../views/format.js';
import {upsideDown} from '../views/layout.js';
import {peak} from '../views/measures.js';
import {roundedUp} from '../views/model.js';
import {signedScale} from '../views/scales.js';
import {timeHeatmap} from '../views/time_heatmap.js';
import {quantityWords} from '../change_words.js';

/** Of a row, in CSS pixels. */
const ROW = 19;
const MARGINS = 36;

/** @type {Record<string, string>} */
const SYMBOLS = {
  key: 'k', key_strength: 'β', interpolation_gate: 'g', shift_weighting: 's', sharpening: 'γ', content_weighting: 'w<sup>c</sup>',
  gated_weighting: 'w<sup>g</sup>', shifted_weighting: 'w̃', weighting: 'w', erase_vector: 'e', add_vector: 'a', read_vector: 'r', memory: 'M', inputs: 'x',
};

/** What the plot's page says above it: exactly what is measured. */
export const MEASURED = 'Each cell is one run of the corrupted episode in which one quantity of one head, at one step alone, is taken from the '
  + 'clean run. Its colour is the share of the loss that this restores, (L corrupted − L patched) / (L corrupted − L clean), where L is the '
  + 'cross entropy in bits of what the clean episode asks. 1 is as good as the clean run, 0 restores nothing, below 0 is worse. The '
  + 'colours end at the largest share, at ±1 at most: beyond, a cell has the colour of the end.';

/**
 * @param {PatchMap} map
 * @param {number} steps Of the episode.
 * @returns {Values[]} `rows[row][step]`, NaN where nothing was patched or the loss is no number.
 */
export function mapRows({rows, steps: [first]}, steps) {
  return rows.map(({restored}) => {
    const values = new Float64Array(steps).fill(NaN);
    restored.forEach((value, at) => {
      values[first + at] = value ?? NaN;
    });
    return values;
  });
}

/**
 * @param {PatchRow} row
 * @returns {string}
 */
export function rowWords({quantity, head_name}) {
  return [quantityWords(quantity), head_name && `of ${head_name}`].filter(Boolean).join(' ');
}

/**
 * @param {PatchMap} map
 * @param {number} row
 * @param {number} step
 * @returns {string|null} What one cell says, rounded: its loss is told from two runs in float32.
 */
export function readCell({rows, steps, loss_corrupted, loss_clean}, row, step) {
  const found = rows[row];
  if (!found) return null;
  const title = `t = ${step + 1} · ${rowWords(found)}`;
  const at = step - steps[0];
  if (!(step >= steps[0] && step < steps[1])) return `${title}\nnot patched`;
  const [restored, loss] = [found.restored[at], found.loss[at]];
  if (restored === null || loss === null) return `${title}\nthe patched run gives no number`;
  return `${title}\nrestores ${brief(restored)}\nloss ${brief(loss)} bits\ncorrupted ${brief(loss_corrupted)}, clean ${brief(loss_clean)} bits`;
}

/**
 * @param {PatchMap} map
 * @param {number} steps Of the episode.
 * @returns {PlotSpec}
 */
export function patchPlot(map, steps) {
  const rows = mapRows(map, steps);
  const largest = Math.max(...rows.map((row) => peak(row)));
  const limit = Math.min(1, roundedUp(largest));
  const labels = map.rows.map(({quantity, head_name}) => [SYMBOLS[quantity] ?? quantity, head_name].filter(Boolean).join(' '));
  return timeHeatmap({
    id: 'patching',
    title: 'What a patch restores',
    symbol: '',
    caption: 'Share of the loss that taking this from the clean run, at this step alone, restores. Click a cell for a branch with that patch.',
    height: Math.max(90, rows.length * ROW + MARGINS),
    rowLink: null,
    rowAxis: () => ({title: '', range: upsideDown([-0.5, rows.length - 0.5]), values: labels.map((_, at) => at), labels, fixed: true}),
    layers: (/** @type {Model} */ model) => [{rows, scale: signedScale(limit, model), bar: 'restored'}],
    depends: () => [],
    read: (_, step, row) => readCell(map, row, step),
  });
}
