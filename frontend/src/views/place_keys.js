// The keyboard on plots: a place that the arrow keys move from cell to cell, whose exact values are shown and said.

/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Panel} from './panel.js' */
/** @import {Tooltip} from './tooltip.js' */
import {clamp} from '../cursor.js';
import {element, setHidden} from './dom.js';

/** Steps of an arrow key with Shift. */
const STRIDE = 10;

/** How much of the axis in sight is left by one press of +. */
const NEARER = 0.5;

/** Milliseconds without a change after which the value at a place that the cursor moves is told: to tell each would halve the frames. */
const REST = 120;

/** What moves the place, or what is there. */
const MOVES = /** @type {const} */ (['step', 'head', 'pinned', 'diff', 'zoom', 'output_view', 'trace']);

/** @typedef {{x: number, y: number}} Place On the plot's axes. */

export class PlaceKeys {
  /** @type {Panel|null} The one that got the focus by the keyboard. */ #panel = null;
  /** @type {WeakMap<Panel, Place>} Where each was left. */ #places = new WeakMap();
  /** @type {State|null} The last one heard of. */ #state = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #timer;
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
    signal.addEventListener('abort', () => clearTimeout(this.#timer), {once: true});
  }

  /** @param {Panel} panel */
  watch(panel) {
    const {host} = panel;
    const {signal} = this;
    host.addEventListener('focus', () => {
      if (!host.matches(':focus-visible')) return; // Whoever clicks on it has the page's keys as before.
      this.#panel = panel;
      host.append(this.#frame);
      this.#tell();
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
  update(state) {
    const before = this.#state;
    this.#state = state;
    setHidden(this.#frame, this.tooltip.owner !== this);
    if (!this.#panel || this.#frame.hidden || (before && MOVES.every((key) => state[key] === before[key]))) return;
    this.#moveFrame();
    clearTimeout(this.#timer);
    if (!state.playing) this.#timer = setTimeout(() => this.#tell(), REST);
  }

  #leave() {
    if (!this.#panel) return;
    this.#panel = null;
    clearTimeout(this.#timer);
    this.#frame.remove();
    if (this.tooltip.owner === this) this.tooltip.tell(null, {clientX: 0, clientY: 0});
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
    if (panel !== this.#panel || !place || !area) return false;
    const stride = shiftKey ? STRIDE : 1;
    const up = Math.sign(area.y[1] - area.y[0]) * stride;
    const moves = /** @type {Record<string, Place>} */ ({
      ...(isOverTime(panel) ? {} : {
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
    this.#tell();
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
    const x = isOverTime(panel) ? this.store.get().step + 1 : kept.x;
    const place = {x: clamp(x, xs[0], xs[1]), y: clamp(kept.y, ys[0], ys[1])};
    this.#places.set(panel, place);
    return place;
  }

  /** @returns {{place: Place, left: number, top: number}|null} The place, and the middle of its cell in the plot's host. */
  #moveFrame() {
    const panel = this.#panel;
    const place = panel && this.#placeOn(panel);
    const box = place && panel.boxOf(place);
    if (!box) return null;
    const {left, top, width, height} = box;
    const {style} = this.#frame;
    [style.width, style.height] = [`${width}px`, `${height}px`];
    style.transform = `translate(${left}px, ${top}px)`;
    return {place, left: left + width / 2, top: top + height / 2};
  }

  /** Shows and says what is at the place. */
  #tell() {
    const panel = this.#panel;
    if (!panel) return;
    const {left: hostLeft, top: hostTop} = panel.host.getBoundingClientRect();
    const at = this.#moveFrame();
    if (!at) return;
    setHidden(this.#frame, false);
    const text = panel.read(at.place.x, at.place.y) ?? 'nothing here';
    this.tooltip.tell(text, {clientX: hostLeft + at.left, clientY: hostTop + at.top}, this);
    this.tooltip.say(text.replaceAll('\n', ', '));
  }
}

/** @param {Panel} panel */
function isOverTime({spec}) {
  return spec.links.x === 'time';
}

/**
 * @param {[number, number]} range Of an axis, either end first.
 * @returns {[number, number]} The first and the last whole number on it, the smaller one first.
 */
function cellsOf(range) {
  const [low, high] = [Math.ceil(Math.min(...range)), Math.floor(Math.max(...range))];
  return [low, Math.max(low, high)];
}
