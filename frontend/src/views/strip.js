// A vector as a row of coloured cells. A background rather than a canvas: each canvas is a layer of its own to compose.

/** @import {Scale, Values} from './scales.js' */
import {cssAt} from '../colors.js';
import {element, formula, setHidden, setText} from './dom.js';
import {brief, typeset} from './format.js';
import {StripEntry} from './strip_entry.js';

/** @type {readonly number[]} */
const NONE = Object.freeze([]);

/**
 * @typedef {object} StripOptions
 * @property {string} symbol HTML, constant.
 * @property {string} name Plain words.
 * @property {(text: string|null, event: PointerEvent) => void} tell Hears what is under the pointer.
 * @property {(text: string|null, event: MouseEvent) => void} keep Hears what a finger has tapped on.
 * @property {(index: number) => string} label What an entry is called.
 * @property {(value: number) => string} digits
 * @property {(index: number) => (value: number) => void} [begin] Where entries can be changed: called when a person begins;
 *   what it returns is called with the number.
 */

/** A vector with its symbol, and the range of its values in words. */
export class Strip {
  #cells = element('div', {class: 'strip-cells', role: 'group'});
  #marks = element('span', {class: 'strip-marks', hidden: ''});
  #range = element('span', {class: 'strip-range'});
  /** @type {Values} */ #values = [];
  /** @type {StripEntry|null} Where entries can be changed. */ #entry = null;
  /** @type {StripEntry} */ #reader;
  #locked = true;

  /** @param {StripOptions} options */
  constructor(options) {
    const {symbol, name, tell, keep, begin} = options;
    this.options = options;
    this.element = element('div', {class: 'strip'}, formula(symbol, 'math strip-symbol'), this.#cells, this.#range);
    this.#cells.setAttribute('aria-label', `${name}, one cell a value: arrow keys choose one`);
    this.#cells.addEventListener('pointermove', (event) => {
      const index = this.#under(event);
      tell(index in this.#values ? this.#read(index, '\n') : null, event);
    });
    this.#cells.addEventListener('pointerleave', (event) => tell(null, event));
    let pointer = 'mouse';
    this.#cells.addEventListener('pointerdown', (event) => { pointer = event.pointerType; });
    this.#cells.addEventListener('click', (event) => {
      const index = this.#under(event);
      if (pointer !== 'mouse' && this.#locked && index in this.#values) keep(this.#read(index, '\n'), event);
    });
    this.#reader = this.#entryOf(null);
    this.#cells.append(this.#reader.element);
    if (begin) this.#editable(begin);
  }

  /** @param {(index: number) => (value: number) => void} begin */
  #editable(begin) {
    const entry = this.#entryOf(begin);
    this.#entry = entry;
    this.#cells.append(entry.element, this.#marks);
    this.#cells.addEventListener('click', (event) => {
      if (!this.#locked) entry.open(this.#under(event));
    });
    this.lock('');
  }

  /** @param {((index: number) => (value: number) => void)|null} begin */
  #entryOf(begin) {
    return new StripEntry({
      name: this.options.name, place: this.#range, begin,
      digits: (index) => this.options.digits(this.#values[index]),
      changed: () => this.#tellEntry(),
    });
  }

  /** @param {string} locked Why no entry can be changed; empty if they can. */
  lock(locked) {
    if (!this.#entry || this.#locked === Boolean(locked)) return;
    this.#locked = Boolean(locked);
    this.#cells.setAttribute('aria-label', `${this.options.name}, one cell a value: arrow keys choose one${locked ? '' : ', Enter changes it'}`);
    this.#cells.toggleAttribute('data-editable', !locked);
    setHidden(this.#entry.element, this.#locked);
    setHidden(this.#reader.element, !this.#locked);
  }

  /** @param {boolean} shown */
  show(shown) {
    setHidden(this.element, !shown);
  }

  /**
   * @param {Values} values
   * @param {Scale} scale
   * @param {readonly number[]} [edited] The entries that a person made what they are.
   */
  paint(values, scale, edited = NONE) {
    if (values.length !== this.#values.length) this.#cells.style.setProperty('--size', String(values.length));
    this.#values = values;
    this.#cells.style.background = gradient(values, scale);
    setHidden(this.#marks, edited.length === 0);
    if (edited.length > 0) this.#marks.style.background = edited.map((index) => mark(index, values.length)).join(', ');
    for (const entry of [this.#entry, this.#reader]) entry?.fit(values.length);
    this.#tellEntry();
  }

  /** The range, or the entry that a person is at. */
  #tellEntry() {
    const entry = this.#locked ? this.#reader : this.#entry;
    const index = entry?.index ?? null;
    if (index === null) {
      const [low, high] = extremes(this.#values);
      setText(this.#range, low === high ? brief(low) : `${brief(low)} … ${brief(high)}`);
    } else {
      setText(this.#range, `${index}: ${brief(this.#values[index])}`);
      entry?.tell(this.#read(index, ': '));
    }
  }

  /**
   * @param {number} index
   * @param {string} between
   */
  #read(index, between) {
    const {name, label, digits} = this.options;
    return `${name}, ${label(index)}${between}${typeset(digits(this.#values[index]))}`;
  }

  /** @param {MouseEvent} event */
  #under({clientX}) {
    const {left, width} = this.#cells.getBoundingClientRect();
    return Math.floor(((clientX - left) / width) * this.#values.length);
  }
}

/**
 * @param {number} index
 * @param {number} size
 * @returns {string} A background that marks one cell of so many.
 */
function mark(index, size) {
  return `linear-gradient(var(--accent) 0 0) ${(100 * index) / Math.max(1, size - 1)}% 0 / ${100 / size}% 100% no-repeat`;
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
