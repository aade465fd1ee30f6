// A number that a person can change where it stands.

import {element, setText} from './dom.js';
import {typeset} from './format.js';

/** How far in CSS pixels a pointer moves before a press is a drag. */
const SLACK = 3;

/**
 * @typedef {object} FieldOptions
 * @property {string} name For programs.
 * @property {string} label Id of the element that names it.
 * @property {string} hint
 * @property {boolean} [bar] Whether it is a part of 1, shown as a bar that can be dragged.
 * @property {() => (value: number) => void} begin Called when a person begins; what it returns is called with the number.
 */

export class NumberField {
  #show = element('button', {type: 'button', class: 'numbers-edit'});
  /** @type {HTMLInputElement|null} */ #input = null;
  #dragged = false;

  /** @param {FieldOptions} options */
  constructor({name, label, hint, bar = false, begin}) {
    this.hint = hint;
    this.begin = begin;
    this.label = label;
    const id = `${label}-value`;
    this.element = element('dd', bar ? {class: 'numbers-bar'} : {}, this.#show);
    this.#show.dataset.number = name;
    this.#show.id = id;
    this.#show.setAttribute('aria-labelledby', `${label} ${id}`);
    this.#show.title = hint;
    this.#show.addEventListener('click', () => this.#open());
    if (bar) this.#show.addEventListener('pointerdown', (event) => this.#press(event));
  }

  /** @param {string} locked Why it cannot be changed; empty if it can. */
  lock(locked) {
    if (this.#show.disabled === Boolean(locked)) return;
    this.#show.disabled = Boolean(locked);
    this.#show.title = locked || this.hint;
  }

  /**
   * @param {string} digits
   * @param {boolean} edited Whether it is what a person made it.
   */
  update(digits, edited) {
    if (this.element.hasAttribute('data-edited') !== edited) this.element.toggleAttribute('data-edited', edited);
    if (this.#dragged || this.#show.dataset.value === digits) return;
    this.#tell(digits);
  }

  /** @param {string} digits */
  #tell(digits) {
    this.#show.dataset.value = digits;
    setText(this.#show, typeset(digits));
    this.element.style.setProperty('--part', digits);
  }

  #open() {
    if (this.#dragged) return;
    const done = this.begin();
    const shown = this.#show.dataset.value ?? '';
    const input = element('input', {type: 'number', step: 'any', class: 'numbers-input', value: shown, 'aria-labelledby': this.label});
    input.title = this.hint;
    this.#input = input;
    input.addEventListener('keydown', (event) => {
      const {key} = event;
      if (key !== 'Enter' && key !== 'Escape') return;
      event.preventDefault(); // Else Enter would also press the button that gets the focus, and open the field again.
      this.#close(key === 'Enter' ? done : null, shown);
      this.#show.focus();
    });
    input.addEventListener('blur', () => this.#close(done, shown));
    this.#show.hidden = true;
    this.element.append(input);
    input.focus();
    input.select();
  }

  /**
   * @param {((value: number) => void)|null} done Null takes nothing.
   * @param {string} shown What it was.
   */
  #close(done, shown) {
    const input = this.#input;
    if (!input) return;
    this.#input = null;
    this.#show.hidden = false;
    const value = input.valueAsNumber;
    input.remove();
    if (done && Number.isFinite(value) && value !== Number(shown)) done(value);
  }

  /** @param {PointerEvent} press */
  #press({button, clientX: from, pointerId}) {
    if (button !== 0 || this.#show.disabled) return;
    const done = this.begin();
    const shown = this.#show.dataset.value ?? '';
    const {right, width} = this.element.getBoundingClientRect();
    const over = new AbortController();
    const {signal} = over;
    /** @param {PointerEvent} event */
    const move = ({clientX}) => {
      if (!this.#dragged && Math.abs(clientX - from) <= SLACK) return;
      if (!this.#dragged) this.#show.setPointerCapture(pointerId);
      this.#dragged = true;
      this.#tell(String(Math.round(100 * Math.max(0, Math.min(1, (right - clientX) / width))) / 100));
    };
    /** @param {boolean} take */
    const end = (take) => {
      over.abort();
      if (!this.#dragged) return;
      const value = Number(this.#show.dataset.value);
      if (take && value !== Number(shown)) done(value);
      else this.#tell(shown);
      setTimeout(() => { this.#dragged = false; });
    };
    this.#show.addEventListener('pointermove', move, {signal});
    this.#show.addEventListener('pointerup', () => end(true), {signal});
    this.#show.addEventListener('pointercancel', () => end(false), {signal});
  }
}
