// Wires the views: one model a frame for every plot, the inspector and the arrows.

/** @import {Actions} from '../actions.js' */
/** @import {Store} from '../store.js' */
/** @import {State, TraceHeader} from '../state.js' */
/** @import {TraceData} from '../trace_data.js' */
/** @import {Theme} from './theme.js' */
/** @import {Model} from './model.js' */
/** @import {Section} from './sections.js' */
import {fetchPlotly, loadPlotly} from '../plotly.js';
import {element, isInSight, nextFrame, painted} from './dom.js';
import {InTurn} from './in_turn.js';
import {Inspector} from './inspector.js';
import {modelOf} from './model.js';
import {fit, Panel} from './panel.js';
import {Pointer} from './pointer.js';
import {Scheduler} from './scheduler.js';
import {sectionsFor} from './sections.js';
import {Series} from './series.js';
import {readTheme, sameTheme} from './theme.js';
import {Tooltip} from './tooltip.js';

/**
 * @typedef {object} Views
 * @property {() => {id: string, title: string, section: string}[]} plots
 * @property {(id: string, format: 'png'|'svg') => Promise<void>} exportPlot Saves one plot as a file.
 */

/**
 * @param {HTMLElement} root
 * @param {{store: Store, actions: Actions, signal: AbortSignal}} context
 * @returns {Views}
 */
export function mountViews(root, {store, actions, signal}) {
  const page = new Page(root, store, actions, signal);
  store.subscribe((state) => page.update(state), signal);
  page.update(store.get());
  return {
    plots: () => page.plots(),
    exportPlot: (id, format) => page.panel(id).save(format),
  };
}

class Page {
  /** @type {Section[]} */ #sections = [];
  /** @type {Inspector|null} Null until the first section has been painted. */ #inspector = null;
  /** @type {Panel[]} */ #panels = [];
  /** @type {Map<Element, Panel>} */ #byElement = new Map();
  /** @type {Series|null} */ #series = null;
  /** @type {TraceData|null} */ #data = null;
  /** @type {Theme} */ #theme;
  /** @type {Model|null} */ #model = null;
  /** @type {Set<Element>} Sections and the inspector, unless they are known to be out of sight. */ #inSight = new Set();
  #heads = '';
  /** @type {TraceHeader|null} That of the trace for which the sections were made. */ #builtFor = null;
  #step = -1;
  #plotlyAsked = false;
  #plotlyLoaded = false;
  #column = element('div', {class: 'views-sections'});
  #main = element('div', {class: 'views-main'});
  #notice = element('p', {class: 'views-notice', role: 'alert'});

  /**
   * @param {HTMLElement} root
   * @param {Store} store
   * @param {Actions} actions
   * @param {AbortSignal} signal
   */
  constructor(root, store, actions, signal) {
    this.root = root;
    this.store = store;
    this.actions = actions;
    this.signal = signal;
    this.tooltip = new Tooltip(store, signal);
    this.pointer = new Pointer(store, this.tooltip, signal);
    this.scheduler = new Scheduler(signal, {failed: (error) => this.#fail(error), rested: () => this.#rested()});
    this.words = new InTurn([() => this.#tellPanels(), () => this.#tellSections(), (running) => this.#tellInspector(running)]);
    this.sight = new IntersectionObserver((entries) => this.#seen(entries), {rootMargin: '120px'});
    this.read = new IntersectionObserver((entries) => this.#seenParts(entries));
    this.sizes = new ResizeObserver((entries) => this.#resized(entries));
    this.#theme = readTheme(root, store.get().dark);
    this.#notice.hidden = true;
    root.append(this.#notice, this.#main, this.tooltip.element);
    signal.addEventListener('abort', () => this.#dispose(), {once: true});
  }

  /** @param {State} state */
  update(state) {
    const {data} = state.trace;
    if (!data || data.received === 0) return;
    if (data !== this.#data) this.#begin(data);
    this.#readTheme(state.dark);
    const model = modelOf(state, this.#series, this.#theme, this.#inspector ? undefined : 0);
    if (!model) return;
    const moved = model.step !== this.#step;
    if (moved && this.#step >= 0) this.scheduler.moved();
    this.#step = model.step;
    this.#model = model;
    for (const panel of this.#panels) panel.update(model);
    for (const section of this.#sections) section.choose(state);
    this.words.update(moved);
    this.#inspector?.showEdits(state);
    this.pointer.update(state);
    this.scheduler.wake();
    this.#askForPlotly();
    if (!this.#series?.memoryPeakKnown) this.#again();
  }

  #tellPanels() {
    for (const panel of this.#panels) panel.tell();
  }

  #tellSections() {
    const model = this.#model;
    if (model) for (const section of this.#sections) if (this.#inSight.has(section.element)) section.update(model);
  }

  /** @param {boolean} running */
  #tellInspector(running) {
    const inspector = this.#inspector;
    if (this.#model && inspector && (!running || this.#inSight.has(inspector.element))) inspector.update(this.#model);
  }

  plots() {
    return this.#sections.flatMap(({name, panels}) => panels.map(({spec}) => ({id: spec.id, title: spec.title, section: name})));
  }

  /**
   * @param {string} id
   * @returns {Panel}
   */
  panel(id) {
    const panel = this.#panels.find(({spec}) => spec.id === id);
    if (!panel) throw new RangeError(`There is no plot '${id}'; there are ${this.plots().map((plot) => plot.id).join(', ')}`);
    return panel;
  }

  /** @param {TraceData} data */
  #begin(data) {
    this.#data = data;
    this.#plotlyAsked &&= this.#plotlyLoaded;
    this.#series = new Series(data);
    const heads = JSON.stringify([data.header.heads, data.header.shifts, data.header.config.write_order,
      data.header.input_channels, data.header.output_channels, data.header.dtype]);
    if (heads === this.#heads) return;
    this.#heads = heads;
    this.#build(data.header);
  }

  /** @param {TraceHeader} header */
  #build(header) {
    this.#clear();
    const [first, ...others] = sectionsFor(header, this.store, (spec) => this.#makePanel(spec));
    this.#main.replaceChildren(this.#column);
    this.#add(first());
    this.#addAfterPainting(others, header);
  }

  /**
   * Adds the inspector, and what lies below the first section, once that has been painted, for to build and lay out all would
   * hold it up.
   *
   * @param {(() => Section)[]} sections
   * @param {TraceHeader} header
   */
  async #addAfterPainting(sections, header) {
    this.#builtFor = header;
    await painted();
    if (this.#builtFor !== header || this.signal.aborted) return;
    this.#inspector = new Inspector(header, this.store, this.tooltip, this.actions);
    this.#main.append(this.#inspector.element);
    this.#watch(this.#inspector.element);
    for (const make of sections) this.#add(make());
    this.update(this.store.get());
  }

  /** @param {Section} section */
  #add(section) {
    this.#sections.push(section);
    this.#column.append(section.element);
    this.#watch(section.element);
    for (const {host} of section.panels) {
      this.sight.observe(host);
      this.sizes.observe(host);
    }
    this.scheduler.setPanels(this.#panels);
  }

  /** @param {Element} part A section or the inspector. */
  #watch(part) {
    this.#inSight.add(part);
    this.read.observe(part);
  }

  /**
   * @param {import('./panel.js').PlotSpec} spec
   * @returns {Panel}
   */
  #makePanel(spec) {
    const panel = new Panel(spec, {
      zoomed: ({spec: {links}}, {x, y}) => this.#zoom({
        ...(links.x && x ? {[links.x]: x} : {}), ...(links.y && y ? {[links.y]: y} : {}),
      }),
      reset: ({spec: {links}}) => this.#zoom({
        ...(links.x ? {[links.x]: null} : {}), ...(links.y ? {[links.y]: null} : {}),
      }),
    });
    this.#panels.push(panel);
    this.#byElement.set(panel.host, panel);
    this.pointer.watch(panel);
    return panel;
  }

  /** @param {Partial<State['zoom']>} part */
  #zoom(part) {
    this.store.set({zoom: {...this.store.get().zoom, ...part}});
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #seen(entries) {
    for (const {target, isIntersecting} of entries) {
      const panel = this.#byElement.get(target);
      if (panel) panel.visible = isIntersecting;
      if (!isIntersecting) continue;
      panel?.refresh();
      panel?.tell();
    }
    this.scheduler.wake();
  }

  /** @param {IntersectionObserverEntry[]} entries Of sections and the inspector, whose words are to be read. */
  #seenParts(entries) {
    for (const {target, isIntersecting} of entries) {
      if (isIntersecting) this.#inSight.add(target);
      else this.#inSight.delete(target);
      const part = [...this.#sections, this.#inspector].find((one) => one?.element === target);
      if (isIntersecting && this.#model) part?.update(this.#model);
    }
  }

  /** @param {ResizeObserverEntry[]} entries */
  #resized(entries) {
    const resized = entries.flatMap(({target}) => this.#byElement.get(target) ?? []);
    // What watches the sight tells only after the first frame has been painted.
    for (const panel of resized) panel.visible ||= isInSight(panel.host);
    fit(resized);
    this.scheduler.wake();
  }

  /** @param {boolean} dark */
  #readTheme(dark) {
    if (dark === this.#theme.dark) return;
    this.#theme = readTheme(this.root, dark);
    requestAnimationFrame(() => this.#checkTheme());
  }

  /** Reads the tokens again, in case that the style sheet came after the state. */
  #checkTheme() {
    const theme = readTheme(this.root, this.#theme.dark);
    if (sameTheme(theme, this.#theme)) return;
    this.#theme = theme;
    this.update(this.store.get());
  }

  /**
   * Fetches Plotly once the first cells have been painted, and evaluates it when all sketches have been and nothing moves:
   * that holds up everything for a second.
   */
  async #askForPlotly() {
    if (this.#plotlyAsked) return;
    this.#plotlyAsked = true;
    await painted();
    fetchPlotly();
    await nextFrame();
    await this.scheduler.still();
    loadPlotly().then(() => this.#startDrawing(), (error) => this.#fail(error));
  }

  #startDrawing() {
    this.#plotlyLoaded = true;
    this.#notice.hidden = true;
    this.scheduler.start();
  }

  /** Brings up words out of sight, for printing, for full-page pictures, and for whoever reads the page otherwise. */
  #rested() {
    const model = this.#model;
    if (model) for (const part of [...this.#sections, this.#inspector]) part?.update(model);
  }

  /** Goes on in the next frame, without a change of state. */
  #again() {
    requestAnimationFrame(() => {
      if (!this.signal.aborted) this.update(this.store.get());
    });
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#notice.hidden = false;
    this.#notice.textContent = `The plots cannot be drawn in full: ${error instanceof Error ? error.message : String(error)}`;
    throw error;
  }

  #clear() {
    for (const observer of [this.sight, this.read, this.sizes]) observer.disconnect();
    for (const panel of this.#panels) panel.dispose();
    this.#column.replaceChildren();
    this.#inspector = null;
    this.#sections = [];
    this.#panels = [];
    this.#byElement.clear();
    this.#inSight.clear();
  }

  #dispose() {
    this.words.stop();
    this.#clear();
    this.root.replaceChildren();
  }
}
