// The equations between the stages of addressing, each on its arrow with its live numbers.

/** @import {Model} from './model.js' */
import {element, formula, setText} from './dom.js';
import {brief, signed, tick} from './format.js';
import {entropyBits} from './measures.js';

/** @typedef {'content_weighting'|'gated_weighting'|'shifted_weighting'|'weighting'} Target */

/** Shifts of which an arrow shows each number; a longer kernel is in its plot. */
const MOST_SHIFTS = 7;

/** @type {Record<string, string>} Classes of values that are no single number. */
const WIDTHS = {'<i>H</i>': 'live-range', '<i>K</i>': 'live-word'};

/**
 * @typedef {object} Equation
 * @property {string} number
 * @property {string} html
 * @property {(model: Model) => [string, string][]} live Symbol (HTML) and value, of constant length for one trace.
 */

/** @type {Record<Target, Equation>} */
const EQUATIONS = {
  content_weighting: {
    number: 'eq. 1, 2',
    html: '<i>w</i><sup>c</sup>(<i>i</i>) = '
      + '<span class="fraction"><span>exp(<i>β K</i>[<i>k</i>, <i>M</i>(<i>i</i>)])</span>'
      + '<span>∑<sub><i>j</i></sub> exp(<i>β K</i>[<i>k</i>, <i>M</i>(<i>j</i>)])</span></span>',
    live: ({data, step, head}) => [
      ['<i>β</i>', brief(data.value('key_strength', step, head))],
      ['<i>K</i>', String(data.header.config.similarity ?? 'similarity').replaceAll('_', ' ')],
    ],
  },
  gated_weighting: {
    number: 'eq. 3',
    html: '<i>w</i><sup>g</sup> = <i>g w</i><sup>c</sup> + (1 − <i>g</i>) <i>w</i><sub><i>t</i>−1</sub>',
    live({data, step, head}) {
      const gate = data.value('interpolation_gate', step, head);
      return [['<i>g</i>', brief(gate)], ['1 − <i>g</i>', brief(1 - gate)]];
    },
  },
  shifted_weighting: {
    number: 'eq. 4',
    html: '<i class="tilde">w</i>(<i>i</i>) = ∑<sub><i>j</i></sub> <i>w</i><sup>g</sup>(<i>j</i>) <i>s</i>(<i>i</i> − <i>j</i>)',
    live({data, step, head}) {
      const {shifts} = data.header;
      const kernel = data.at('shift_weighting', step, head);
      if (shifts.length > MOST_SHIFTS) return [];
      return shifts.map((shift, index) => [`<i>s</i>(${signed(tick(shift))})`, brief(kernel[index])]);
    },
  },
  weighting: {
    number: 'eq. 5',
    html: '<i>w</i>(<i>i</i>) = <span class="fraction"><span><i class="tilde">w</i>(<i>i</i>)<sup><i>γ</i></sup></span>'
      + '<span>∑<sub><i>j</i></sub> <i class="tilde">w</i>(<i>j</i>)<sup><i>γ</i></sup></span></span>',
    live: ({data, step, head}) => [
      ['<i>γ</i>', brief(data.value('sharpening', step, head))],
      ['<i>H</i>', `${entropyBits(data.at('shifted_weighting', step, head)).toFixed(2)} → ${
        entropyBits(data.at('weighting', step, head)).toFixed(2)} bit`],
    ],
  },
};

/** An arrow to a stage. */
export class Arrow {
  #live = element('span', {class: 'arrow-live'});
  /** @type {HTMLElement[]} */ #values = [];
  #symbols = '';

  /** @param {Target} target */
  constructor(target) {
    this.equation = EQUATIONS[target];
    this.element = element('div', {class: 'arrow'},
      element('span', {class: 'arrow-number'}, this.equation.number),
      formula(this.equation.html, 'math arrow-formula'),
      this.#live);
  }

  /** @param {Model} model */
  update(model) {
    const live = this.equation.live(model);
    const symbols = live.map(([symbol]) => symbol).join('|');
    if (symbols !== this.#symbols) this.#rebuild(live.map(([symbol]) => symbol));
    this.#symbols = symbols;
    live.forEach(([, value], index) => setText(this.#values[index], value));
  }

  /** @param {string[]} symbols HTML, constant or made of whole numbers. */
  #rebuild(symbols) {
    this.#values = symbols.map((symbol) => element('b', {class: WIDTHS[symbol] ?? 'live-number'}));
    this.#live.replaceChildren(...symbols.map((symbol, index) => (
      element('span', {class: 'live'}, formula(`${symbol} =`), this.#values[index]))));
  }
}
