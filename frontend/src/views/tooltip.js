import {element, setText} from './dom.js';

/** @import {Store} from '../store.js' */

/** Distance of the tooltip from the pointer in CSS pixels. */
const DISTANCE = 14;

/** Exact values beside the pointer; the same text is the state's `hover`. */
export class Tooltip {
  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.element = element('div', {class: 'tooltip', 'aria-hidden': 'true'});
    this.element.hidden = true;
  }

  /**
   * @param {string|null} text Lines; null hides it.
   * @param {{clientX: number, clientY: number}} pointer
   */
  tell(text, {clientX, clientY}) {
    const {hover} = this.store.get();
    if ((hover?.text ?? null) !== text) this.store.set({hover: text === null ? null : {text}});
    this.element.hidden = text === null;
    if (text === null) return;
    setText(this.element, text);
    const {offsetWidth, offsetHeight} = this.element;
    const {clientWidth, clientHeight} = document.documentElement;
    const right = clientX + DISTANCE + offsetWidth <= clientWidth;
    const below = clientY + DISTANCE + offsetHeight <= clientHeight;
    const x = right ? clientX + DISTANCE : Math.max(0, clientX - DISTANCE - offsetWidth);
    const y = below ? clientY + DISTANCE : Math.max(0, clientY - DISTANCE - offsetHeight);
    this.element.style.transform = `translate(${x}px, ${y}px)`;
  }
}
