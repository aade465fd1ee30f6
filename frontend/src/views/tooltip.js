import {element, setText} from './dom.js';

/** @import {Store} from '../store.js' */

/** Distance of the tooltip from the pointer in CSS pixels. */
const DISTANCE = 14;

/** @typedef {{clientX: number, clientY: number}} Spot */

/** Exact values beside the pointer, or beside the place of the keyboard; the same text is the state's `hover`. */
export class Tooltip {
  #box = element('div', {class: 'tooltip', 'aria-hidden': 'true'});
  #said = element('p', {class: 'visually-hidden', role: 'status'});
  /** @type {(() => void)|null} Hears that what a finger asked for goes. */ #released = null;
  /** @type {unknown} Who told it last what it shows, and may go on telling: the pointer, or the place of the keyboard. */ owner = null;

  /**
   * @param {Store} store
   * @param {AbortSignal} signal
   */
  constructor(store, signal) {
    this.store = store;
    this.#box.hidden = true;
    this.element = element('div', {}, this.#box, this.#said);
    const release = () => this.#release();
    for (const type of ['pointerdown', 'scroll']) document.addEventListener(type, release, {signal, capture: true, passive: true});
    document.addEventListener('keydown', ({key}) => {
      if (key === 'Escape') release();
    }, {signal});
  }

  /**
   * Shows what a finger has tapped on, which leaves at once: until the next tap, Escape, or until the page is scrolled.
   *
   * @param {string|null} text
   * @param {Spot} pointer
   * @param {unknown} [owner]
   * @param {() => void} [released]
   */
  keep(text, pointer, owner = null, released = () => {}) {
    this.tell(text, pointer, owner);
    if (text !== null) this.#released = released;
  }

  /** Whether it shows what a finger has tapped on. */
  get kept() {
    return this.#released !== null;
  }

  #release() {
    if (!this.#released) return;
    this.#released();
    this.#released = null;
    this.tell(null, {clientX: 0, clientY: 0});
  }

  /** @param {string} text To be said by a screen reader, where it is another than before. */
  say(text) {
    setText(this.#said, text);
  }

  /**
   * @param {string|null} text Lines; null hides it.
   * @param {Spot} pointer
   * @param {unknown} [owner]
   */
  tell(text, {clientX, clientY}, owner = null) {
    this.owner = owner;
    const {hover} = this.store.get();
    if ((hover?.text ?? null) !== text) this.store.set({hover: text === null ? null : {text}});
    this.#box.hidden = text === null;
    if (text === null) return;
    setText(this.#box, text);
    const {offsetWidth, offsetHeight} = this.#box;
    const {clientWidth, clientHeight} = document.documentElement;
    const right = clientX + DISTANCE + offsetWidth <= clientWidth;
    const below = clientY + DISTANCE + offsetHeight <= clientHeight;
    const x = right ? clientX + DISTANCE : Math.max(0, clientX - DISTANCE - offsetWidth);
    const y = below ? clientY + DISTANCE : Math.max(0, clientY - DISTANCE - offsetHeight);
    this.#box.style.transform = `translate(${x}px, ${y}px)`;
  }
}
