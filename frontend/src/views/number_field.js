// A number that a person can change where it stands.

/** @import {Bar} from './bar.js' */
import {element, setText} from './dom.js';
import {typeset} from './format.js';
import {typeNumber} from './number_input.js';

/** How far in CSS pixels a pointer moves before a press is a drag. */
const SLACK = 3;

/**
 * @typedef {object} FieldOptions
 * @property {string} name For programs.
 * @property {string} label Id of the element that names it.
 * @property {string} hint
 * @property {Bar} bar Shows it too, and can be dragged.
 * @property {() => (value: number) => void} begin Called when a person begins; what it returns is called with the number.
 */

export class NumberField {
  #show = element('button', {type: 'button', class: 'numbers-edit'});
  #dragged = false;

  /** @param {FieldOptions} options */
  constructor({name, label, hint, bar, begin}) {
    this.hint = hint;
    this.begin = begin;
    this.label = label;
    this.bar = bar;
    const id = `${label}-value`;
    this.element = element('dd', {class: 'numbers-bar', 'data-most': String(bar.most)}, this.#show);
    this.#show.dataset.number = name;
    this.#show.id = id;
    this.#show.setAttribute('aria-labelledby', `${label} ${id}`);
    this.#show.title = hint;
    this.#show.addEventListener('click', () => this.#open());
    this.#show.addEventListener('pointerdown', (event) => this.#press(event));
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
    this.element.style.setProperty('--part', this.bar.part(Number(digits)).toFixed(4));
  }

  #open() {
    if (this.#dragged) return;
    typeNumber({
      place: this.#show, back: this.#show, digits: this.#show.dataset.value ?? '', take: this.begin(),
      attributes: {'aria-labelledby': this.label, title: this.hint},
    });
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
      this.#tell(String(this.bar.value((right - clientX) / width)));
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
