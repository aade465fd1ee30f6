// A vector as a row of coloured cells. A background rather than a canvas: each canvas is a layer of its own to compose.

/** @import {Scale, Values} from './scales.js' */
import {cssAt} from '../colors.js';
import {element, formula, setHidden, setText} from './dom.js';
import {brief} from './format.js';

/** A vector with its symbol, and the range of its values in words. */
export class Strip {
  #cells = element('div', {class: 'strip-cells', role: 'img'});
  #range = element('span', {class: 'strip-range'});
  /** @type {Values} */ #values = [];

  /**
   * @param {string} symbol HTML, constant.
   * @param {string} name Plain words.
   * @param {(text: string|null, event: PointerEvent) => void} tell Hears what is under the pointer.
   * @param {(value: number, index: number) => string} read
   */
  constructor(symbol, name, tell, read) {
    this.element = element('div', {class: 'strip'}, formula(symbol, 'math strip-symbol'), this.#cells, this.#range);
    this.#cells.setAttribute('aria-label', `${name}, one cell a value`);
    this.#cells.addEventListener('pointermove', (event) => {
      const {left, width} = this.#cells.getBoundingClientRect();
      const index = Math.floor(((event.clientX - left) / width) * this.#values.length);
      tell(index in this.#values ? read(this.#values[index], index) : null, event);
    });
    this.#cells.addEventListener('pointerleave', (event) => tell(null, event));
  }

  /** @param {boolean} shown */
  show(shown) {
    setHidden(this.element, !shown);
  }

  /**
   * @param {Values} values
   * @param {Scale} scale
   */
  paint(values, scale) {
    this.#values = values;
    this.#cells.style.background = gradient(values, scale);
    const [low, high] = extremes(values);
    setText(this.#range, low === high ? brief(low) : `${brief(low)} … ${brief(high)}`);
  }
}

/**
 * @param {Values} values
 * @param {Scale} scale
 * @returns {string} A background of equally wide cells with sharp edges.
 */
function gradient(values, scale) {
  const width = 100 / values.length;
  const cells = Array.from(values, (value, index) => (
    `${cssAt(scale, value)} ${(index * width).toFixed(3)}% ${((index + 1) * width).toFixed(3)}%`));
  return `linear-gradient(to right, ${cells.join(', ')})`;
}

/**
 * @param {Values} values
 * @returns {[number, number]} Smallest and largest.
 */
function extremes(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  return [low, high];
}
