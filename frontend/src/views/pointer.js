// The pointer on plots: reads values, previews steps, keeps a step or a head with a click, and a finger's value with a tap.

/** @import {Store} from '../store.js' */
/** @import {State} from '../state.js' */
/** @import {Panel} from './panel.js' */
/** @import {Tooltip} from './tooltip.js' */
import {moveTo} from '../cursor.js';
import {PlaceKeys} from './place_keys.js';

/** A press that moves further than this, in CSS pixels, is a drag: Plotly zooms. */
const CLICK_RADIUS = 4;

export class Pointer {
  /** @type {{panel: Panel, x: number, y: number, clientX: number, clientY: number}|null} */ #over = null;
  /** @type {number|null} The step to go back to when the pointer leaves without a click. */ #origin = null;
  /** @type {number|null} The step that hovering has set. */ #preview = null;

  /**
   * @param {Store} store
   * @param {Tooltip} tooltip
   * @param {AbortSignal} signal
   */
  constructor(store, tooltip, signal) {
    this.store = store;
    this.tooltip = tooltip;
    this.signal = signal;
    this.keys = new PlaceKeys(store, tooltip, signal);
  }

  /** @param {Panel} panel */
  watch(panel) {
    const {host} = panel;
    const {signal} = this;
    this.keys.watch(panel);
    host.addEventListener('pointermove', (event) => this.#move(panel, event), {signal});
    host.addEventListener('pointerleave', (event) => this.#leave(event), {signal});
    host.addEventListener('pointerdown', (down) => {
      if (down.button !== 0) return;
      document.addEventListener('pointerup', (up) => {
        const moved = Math.hypot(up.clientX - down.clientX, up.clientY - down.clientY);
        if (moved <= CLICK_RADIUS) this.#click(panel, up);
      }, {once: true, signal});
    }, {signal, capture: true});
  }

  /**
   * Hears of every new state: the step may have moved under a resting pointer.
   *
   * @param {State} state
   */
  update(state) {
    this.keys.update(state);
    if (state.playing || (this.#preview !== null && state.step !== this.#preview)) this.#forget();
    if (!this.#over || this.tooltip.owner !== this) return;
    const {panel, x, y} = this.#over;
    if (!panel.element.isConnected) {
      this.#over = null;
      this.tooltip.tell(null, {clientX: 0, clientY: 0});
      return;
    }
    this.tooltip.tell(panel.read(x, y), this.#over, this);
  }

  #forget() {
    this.#origin = null;
    this.#preview = null;
  }

  /**
   * @param {Panel} panel
   * @param {PointerEvent} event
   */
  #move(panel, event) {
    const place = panel.placeAt(event.clientX, event.clientY);
    if (!place) {
      this.#leave(event);
      return;
    }
    this.#over = {panel, ...place, clientX: event.clientX, clientY: event.clientY};
    if (panel.spec.links.x === 'time' && event.pointerType === 'mouse' && event.buttons === 0) this.#previewStep(place.x);
    this.tooltip.tell(panel.read(place.x, place.y), event, this);
  }

  /** @param {number} x */
  #previewStep(x) {
    const {playing, step, sought, trace} = this.store.get();
    if (playing || !trace.data) return;
    this.#origin ??= sought ?? step;
    this.store.set({step: trace.data.nearest(Math.round(x) - 1), sought: null});
    this.#preview = this.store.get().step;  // a column's step is held within the steps of A
  }

  /** @param {PointerEvent} event */
  #leave(event) {
    if (event.pointerType !== 'mouse' && this.tooltip.kept) return;
    this.#over = null;
    if (this.tooltip.owner === this) this.tooltip.tell(null, event);
    const state = this.store.get();
    if (this.#origin !== null && state.step === this.#preview) this.store.set(moveTo(state, this.#origin));
    this.#forget();
  }

  /**
   * @param {Panel} panel
   * @param {PointerEvent} event
   */
  #click(panel, event) {
    const place = panel.placeAt(event.clientX, event.clientY);
    if (!place) return;
    if (panel.spec.links.x === 'time') {
      this.#forget();
      this.store.set(moveTo(this.store.get(), place.x - 1));
    }
    if (panel.spec.selects !== null) this.store.set({head: panel.spec.selects});
    if (event.pointerType === 'mouse') return;
    this.#over = {panel, ...place, clientX: event.clientX, clientY: event.clientY};
    this.tooltip.keep(panel.read(place.x, place.y), event, this, () => { this.#over = null; });
  }
}
