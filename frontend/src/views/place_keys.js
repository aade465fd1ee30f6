// The keyboard on plots: a place that the arrow keys move from cell to cell, whose exact values are shown and said.

/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Panel} from './panel.js' */
/** @import {Tooltip} from './tooltip.js' */
import {clamp} from '../cursor.js';
import {element} from './dom.js';

/** Steps of an arrow key with Shift. */
const STRIDE = 10;

/** How much of the axis in sight is left by one press of +. */
const NEARER = 0.5;

/** @typedef {{x: number, y: number}} Place On the plot's axes. */

export class PlaceKeys {
  /** @type {Panel|null} The one that has the focus. */ #panel = null;
  /** @type {WeakMap<Panel, Place>} Where each was left. */ #places = new WeakMap();
  #frame = element('div', {class: 'plot-place', 'aria-hidden': 'true'});

  /**
   * @param {Store} store
   * @param {Tooltip} tooltip
   * @param {AbortSignal} signal
   */
  constructor(store, tooltip, signal) {
    this.store = store;
    this.tooltip = tooltip;
    this.signal = signal;
  }

  /** @param {Panel} panel */
  watch(panel) {
    const {host} = panel;
    const {signal} = this;
    host.addEventListener('focus', () => {
      if (!host.matches(':focus-visible')) return;
      this.#panel = panel;
      host.append(this.#frame);
      this.#show();
    }, {signal});
    host.addEventListener('blur', () => this.#leave(), {signal});
    host.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !this.#take(panel, event)) return;
      event.preventDefault(); // Else the page's cursor would move too.
    }, {signal});
  }

  /**
   * Hears of every new state: the step may have moved under the place.
   *
   * @param {State} state
   */
  update({playing}) {
    if (this.#panel && !playing) this.#show();
  }

  #leave() {
    this.#panel = null;
    this.#frame.remove();
    this.tooltip.tell(null, {clientX: 0, clientY: 0});
    this.tooltip.say('');
  }

  /**
   * @param {Panel} panel
   * @param {KeyboardEvent} event
   * @returns {boolean} Whether the plot has a use for the key.
   */
  #take(panel, {key, shiftKey}) {
    const place = this.#placeOn(panel);
    const {area, spec} = panel;
    if (!place || !area) return false;
    const stride = shiftKey ? STRIDE : 1;
    const overTime = spec.links.x === 'time';
    const up = Math.sign(area.y[1] - area.y[0]) * stride;
    const moves = /** @type {Record<string, Place>} */ ({
      ...(overTime ? {} : {
        ArrowLeft: {x: place.x - stride, y: place.y}, ArrowRight: {x: place.x + stride, y: place.y},
        Home: {x: -Infinity, y: place.y}, End: {x: Infinity, y: place.y},
      }),
      ...(spec.cells ? {ArrowUp: {x: place.x, y: place.y + up}, ArrowDown: {x: place.x, y: place.y - up}} : {}),
    });
    if (Object.hasOwn(moves, key)) this.#places.set(panel, moves[key]);
    else if (key === '+') panel.zoomBy(NEARER, place.x);
    else if (key === '-') panel.zoomBy(1 / NEARER, place.x);
    else if (key === 'Enter' && spec.selects !== null) this.store.set({head: spec.selects});
    else return false;
    this.#panel = panel;
    this.#show();
    return true;
  }

  /**
   * @param {Panel} panel
   * @returns {Place|null} A cell in sight: over time that at the cursor.
   */
  #placeOn(panel) {
    const {area} = panel;
    if (!area) return null;
    const [xs, ys] = [cellsOf(area.x), cellsOf(area.y)];
    const kept = this.#places.get(panel) ?? {x: xs[0], y: ys[0]};
    const x = panel.spec.links.x === 'time' ? this.store.get().step + 1 : kept.x;
    const place = {x: clamp(x, xs[0], xs[1]), y: clamp(kept.y, ys[0], ys[1])};
    this.#places.set(panel, place);
    return place;
  }

  #show() {
    const panel = this.#panel;
    const place = panel && this.#placeOn(panel);
    const box = place && panel.boxOf(place);
    if (!box) return;
    const {left, top, width, height} = box;
    Object.assign(this.#frame.style, {left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`});
    const text = panel.read(place.x, place.y) ?? 'nothing here';
    const {left: hostLeft, top: hostTop} = panel.host.getBoundingClientRect();
    this.tooltip.tell(text, {clientX: hostLeft + left + width / 2, clientY: hostTop + top + height / 2});
    this.tooltip.say(text.replaceAll('\n', ', '));
  }
}

/**
 * @param {[number, number]} range Of an axis, either end first.
 * @returns {[number, number]} The first and the last whole number on it, the smaller one first.
 */
function cellsOf(range) {
  const [low, high] = [Math.ceil(Math.min(...range)), Math.floor(Math.max(...range))];
  return [low, Math.max(low, high)];
}
