// The stages of addressing in numbers.

/** @import {Model} from './model.js' */
import {element, formula, setText} from './dom.js';
import {brief} from './format.js';
import {argmax, entropyBits, total} from './measures.js';
import {STAGES, stageValues} from './stages.js';

/** @type {Record<import('./stages.js').StageName, string>} */
const SYMBOLS = {
  previous: '<i>w</i><sub><i>t</i>−1</sub>',
  content_weighting: '<i>w</i><sup>c</sup>',
  gated_weighting: '<i>w</i><sup>g</sup>',
  shifted_weighting: '<i class="tilde">w</i>',
  weighting: '<i>w<sub>t</sub></i>',
};

/** @type {[string, (values: ArrayLike<number>) => string][]} */
const COLUMNS = [
  ['at', (values) => known(argmax(values), 0)],
  ['max', (values) => brief(values[argmax(values)] ?? NaN)],
  ['bit', (values) => known(entropyBits(values), 2)],
  ['∑', (values) => known(total(values), 4)],
];

/**
 * @param {number} value
 * @param {number} digits
 * @returns {string} A dash for what was not recorded: NaN, or no place.
 */
function known(value, digits) {
  return Number.isNaN(value) || value < 0 ? '–' : value.toFixed(digits);
}

/** One row a stage: where its peak is and how high, its entropy, its sum. */
export class StageTable {
  /** @type {HTMLElement[][]} */ #cells = STAGES.map(() => COLUMNS.map(() => element('span')));

  constructor() {
    const head = element('tr', {}, element('th', {scope: 'col'}, 'stage'),
      ...COLUMNS.map(([name]) => element('th', {scope: 'col'}, name)));
    const rows = STAGES.map((stage, row) => (
      element('tr', {}, element('th', {scope: 'row'}, formula(SYMBOLS[stage])),
        ...this.#cells[row].map((cell) => element('td', {}, cell)))));
    this.element = element('table', {class: 'stage-table'},
      element('caption', {}, 'Peak location and height, entropy in bits, and sum of each stage.'),
      element('thead', {}, head), element('tbody', {}, ...rows));
  }

  /** @param {Model} model */
  update(model) {
    STAGES.forEach((stage, row) => {
      const values = stageValues(model, stage);
      COLUMNS.forEach(([, read], column) => setText(this.#cells[row][column], read(values)));
    });
  }
}
