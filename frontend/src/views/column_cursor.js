// The cursor of a plot over time: a frame around one column.

/** @import {Area} from '../plotly.js' */
import {element} from './dom.js';
import {Slide} from './slide.js';

/** Thickness of the frame in CSS pixels; half of it lies on each side of the column's edge. */
const LINE = 1.5;

export class ColumnCursor {
  #frame = element('div', {class: 'column-cursor'});
  #slide = new Slide(this.#frame);
  /** @type {Area|null} */ #area = null;

  constructor() {
    this.element = element('div', {class: 'column-cursor-area', 'aria-hidden': 'true'}, this.#frame);
  }

  /**
   * @param {Area} area
   * @param {number} step Index of the column, which lies around x = step + 1.
   */
  move(area, step) {
    if (!sameArea(area, this.#area)) this.#place(area);
    const [first, last] = area.x;
    this.#slide.move((step + 2 - first) / (last - first + 2));
  }

  /** @param {Area} area Its columns in sight, of which the frame slides from one before to one behind. */
  #place(area) {
    this.#area = area;
    const {left, top, width, height, x} = area;
    const columns = x[1] - x[0];
    const perStep = width / columns;
    const {style} = this.element;
    [style.left, style.top, style.width, style.height] = [left - LINE, top, width + 2 * LINE, height].map(pixels);
    this.#frame.style.width = pixels(perStep + LINE);
    this.#slide.between(pixels(-1.5 * perStep + LINE / 2), pixels((columns + 0.5) * perStep + LINE / 2));
  }

  dispose() {
    this.#slide.dispose();
  }
}

/**
 * @param {Area} a
 * @param {Area|null} b
 */
function sameArea(a, b) {
  return b !== null && a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height
    && a.x[0] === b.x[0] && a.x[1] === b.x[1];
}

/** @param {number} value */
function pixels(value) {
  return `${value}px`;
}
