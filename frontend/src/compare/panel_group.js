// Plots that come and go with columns: drawn when in sight, moved with the one cursor, zoomed together.

/** @import {Store} from '../store.js' */
/** @import {Panel as PanelType, PlotSpec} from '../views/panel.js' */
import {loadPlotly} from '../plotly.js';
import {fit, Panel} from '../views/panel.js';
import {Pointer} from '../views/pointer.js';
import {Scheduler} from '../views/scheduler.js';

/** @typedef {import('../views/tooltip.js').Tooltip} Tooltip */
/** @typedef {import('../views/pointer.js').Pointer} PointerType */

export class PanelGroup {
  /** @type {Map<Element, PanelType>} */ #panels = new Map();
  #asked = false;

  /**
   * @param {AbortSignal} signal
   * @param {{failed: (error: unknown) => void, tooltip: Tooltip}} parts
   */
  constructor(signal, {failed, tooltip}) {
    this.signal = signal;
    this.tooltip = tooltip;
    this.failed = failed;
    this.scheduler = new Scheduler(signal, {failed, rested: () => {}});
    this.sight = new IntersectionObserver((entries) => this.#seen(entries), {rootMargin: '120px'});
    this.sizes = new ResizeObserver((entries) => {
      fit(entries.flatMap(({target}) => this.#panels.get(target) ?? []));
      this.scheduler.wake();
    });
    signal.addEventListener('abort', () => this.#dispose(), {once: true});
  }

  /**
   * @param {Store} store As the plots see it.
   * @returns {PointerType} For the plots of one column.
   */
  pointer(store) {
    return new Pointer(store, this.tooltip, this.signal);
  }

  /**
   * @param {PlotSpec} spec
   * @param {Store} store As the plot sees it.
   * @param {PointerType} pointer
   * @returns {PanelType} To be put into the page, and given to `watch` then.
   */
  make(spec, store, pointer) {
    const zoom = (/** @type {Record<string, [number, number]|null>} */ part) => store.set({zoom: {...store.get().zoom, ...part}});
    const {x: across, y: down} = spec.links;
    const panel = new Panel(spec, {
      zoomed: (_, {x, y}) => zoom({...(across && x ? {[across]: x} : {}), ...(down && y ? {[down]: y} : {})}),
      reset: () => zoom({...(across ? {[across]: null} : {}), ...(down ? {[down]: null} : {})}),
    });
    pointer.watch(panel);
    return panel;
  }

  /** @param {PanelType[]} panels That are in the page now. */
  watch(panels) {
    for (const panel of panels) {
      this.#panels.set(panel.host, panel);
      this.sight.observe(panel.host);
      this.sizes.observe(panel.host);
    }
    this.#changed();
    this.#askForPlotly();
  }

  /** @param {PanelType[]} panels */
  drop(panels) {
    for (const panel of panels) {
      this.#panels.delete(panel.host);
      this.sight.unobserve(panel.host);
      this.sizes.unobserve(panel.host);
      panel.dispose();
    }
    this.#changed();
  }

  #changed() {
    this.scheduler.setPanels([...this.#panels.values()]);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #seen(entries) {
    for (const {target, isIntersecting} of entries) {
      const panel = this.#panels.get(target);
      if (!panel) continue;
      panel.visible = isIntersecting;
      if (!isIntersecting) continue;
      panel.refresh();
      panel.tell();
    }
    this.scheduler.wake();
  }

  #askForPlotly() {
    if (this.#asked) return;
    this.#asked = true;
    loadPlotly().then(() => this.scheduler.start(), (error) => {
      this.#asked = false;
      this.failed(error);
    });
  }

  #dispose() {
    this.sight.disconnect();
    this.sizes.disconnect();
    for (const panel of this.#panels.values()) panel.dispose();
    this.#panels.clear();
  }
}
