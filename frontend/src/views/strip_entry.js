// The one entry of a vector that a person has chosen, to read it exactly or to type another number.

import {clamp} from '../cursor.js';
import {element} from './dom.js';
import {typeNumber} from './number_input.js';

/**
 * @typedef {object} EntryOptions
 * @property {string} name Of the vector.
 * @property {HTMLElement} place Where the number stands while it is typed.
 * @property {(index: number) => string} digits Of the entry as it is.
 * @property {((index: number) => (value: number) => void)|null} begin Called when a person begins; what it returns is called
 *   with the number. Null where nothing can be changed.
 * @property {() => void} changed Called when another entry is chosen, or none any more.
 */

export class StripEntry {
  #index = 0;
  #size = 1;
  #focused = false;
  /** @type {HTMLElement} */ #button;

  /** @param {EntryOptions} options */
  constructor(options) {
    this.options = options;
    this.#button = options.begin
      ? element('button', {type: 'button', class: 'strip-entry'})
      : element('span', {class: 'strip-entry', role: 'slider', tabindex: '0', 'aria-readonly': 'true', 'aria-label': options.name});
    this.element = element('div', {class: 'strip-place'}, this.#button);
    if (options.begin) {
      this.#button.addEventListener('click', (event) => {
        event.stopPropagation(); // What is clicked beside it is another entry.
        this.open(this.#index);
      });
    }
    this.#button.addEventListener('keydown', (event) => this.#move(event));
    this.tell(this.#name());
    for (const [type, focused] of /** @type {const} */ ([['focus', true], ['blur', false]])) {
      this.#button.addEventListener(type, () => {
        this.#focused = focused;
        this.tell(this.#name());
        options.changed();
      });
    }
  }

  /** @returns {number|null} The entry that a person is at; null without the focus. */
  get index() {
    return this.#focused ? this.#index : null;
  }

  /** @param {number} size Entries of the vector. */
  fit(size) {
    if (size === this.#size) return;
    this.#size = size;
    this.#choose(this.#index);
  }

  /** @param {string} text The entry in words: the name of a button, the value of what is only read. */
  tell(text) {
    const attribute = this.options.begin ? 'aria-label' : 'aria-valuetext';
    if (this.#button.getAttribute(attribute) !== text) this.#button.setAttribute(attribute, text);
  }

  /** @param {number} index */
  open(index) {
    this.#choose(index);
    const {place, digits, begin} = this.options;
    if (!begin) return;
    typeNumber({
      place, back: this.#button, digits: digits(this.#index), take: begin(this.#index),
      attributes: {'aria-label': this.#name()},
    });
  }

  #name() {
    return `${this.options.name}, element ${this.#index}`;
  }

  /** @param {number} index */
  #choose(index) {
    this.#index = clamp(index, 0, this.#size - 1);
    this.element.style.setProperty('--index', String(this.#index));
    if (!this.options.begin) {
      this.#button.setAttribute('aria-valuenow', String(this.#index));
      this.#button.setAttribute('aria-valuemax', String(this.#size - 1));
    }
    this.tell(this.#name());
    this.options.changed();
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const to = {ArrowLeft: this.#index - 1, ArrowRight: this.#index + 1, Home: 0, End: this.#size - 1}[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // Else the page's cursor would move too.
    this.#choose(to);
  }
}
