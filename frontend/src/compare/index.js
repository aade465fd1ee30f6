// Traces beside each other: one cursor, one zoom, and what differs.

/** @import {Actions} from '../actions.js' */
/** @import {Api} from '../api.js' */
/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Model} from '../views/model.js' */
/** @import {Theme} from '../views/theme.js' */
/** @import {Shown} from './align.js' */
import {BranchPanel} from '../branches/panel.js';
import {besideIn, keepFocus} from '../focus.js';
import {PatchingPanel} from '../patching/panel.js';
import {el, replaceChildren} from '../shell/dom.js';
import {painted, setHidden, setText} from '../views/dom.js';
import {InTurn} from '../views/in_turn.js';
import {readTheme} from '../views/theme.js';
import {Tooltip} from '../views/tooltip.js';
import {modelsOf, scalesKnown, shownColumns} from './align.js';
import {ColumnCard} from './column_card.js';
import {DeltaCard} from './delta_card.js';
import {firstDivergence} from './first_divergence.js';
import {compareHead} from './head.js';
import {MetricsPanel} from './metrics_panel.js';
import {OperationsTable} from './operations_table.js';
import {PanelGroup} from './panel_group.js';

/** Milliseconds without a change after which the columns are brought up although they are out of sight. */
const REST = 500;

/**
 * Below the views: it is built once their first section has been painted.
 *
 * @param {HTMLElement} root
 * @param {{store: Store, api: Api, actions: Actions, signal: AbortSignal}} context
 * @returns {() => void} Brings the columns into sight, with the focus on the button that adds one.
 */
export function mountCompare(root, {store, api, actions, signal}) {
  /** @type {ComparePage|null} */
  let page = null;
  let begun = false;
  store.subscribe((state) => {
    page?.hear(state);
    if (state.trace.data && !begun) void begin();
  }, signal);

  async function begin() {
    begun = true;
    await painted();
    if (signal.aborted) return;
    page = new ComparePage(root, {store, api, actions, signal});
    page.hear(store.get());
  }

  return () => {
    root.scrollIntoView({block: 'start'});
    /** @type {HTMLElement|null} */ (root.querySelector('#add-column'))?.focus({preventScroll: true});
  };
}

class ComparePage {
  /** @type {ColumnCard[]} */ #cards = [];
  /** @type {DeltaCard|null} */ #delta = null;
  /** @type {Theme|null} */ #theme = null;
  #keys = '';
  #step = -1;
  /** @type {Set<Element>} The whole, and the details below the columns. */ #inSight = new Set();
  /** @type {Shown[]} */ #shown = [];
  #resting = 0;
  #notice = el('p', {class: 'views-notice', role: 'alert', hidden: true});
  #columns = el('div', {class: 'compare-columns', role: 'group', 'aria-label': 'Columns', tabindex: 0, hidden: true});

  /**
   * @param {HTMLElement} root
   * @param {{store: Store, api: Api, actions: Actions, signal: AbortSignal}} context
   */
  constructor(root, {store, api, actions, signal}) {
    this.root = root;
    this.store = store;
    this.actions = actions;
    this.signal = signal;
    const tooltip = new Tooltip(store, signal);
    this.group = new PanelGroup(signal, {tooltip, failed: (error) => this.#fail(error)});
    const again = () => this.hear(this.store.get());
    this.makeDelta = () => new DeltaCard({store, api, group: this.group, changed: again, signal});
    this.head = compareHead(store);
    this.branches = new BranchPanel({store, api, actions, signal});
    this.operations = new OperationsTable(store);
    this.metrics = new MetricsPanel({store, api, signal});
    this.patching = new PatchingPanel({store, api, actions, group: this.group, again, signal});
    this.details = el('div', {class: 'compare-details', hidden: true}, this.operations.element, this.metrics.element);
    replaceChildren(root, this.head.element, this.branches.element, this.#notice, this.#columns, this.details, this.patching.element, tooltip.element);
    this.words = new InTurn([() => this.#tellColumns(), (running) => this.#tellDetails(running)]);
    const sight = new IntersectionObserver((entries) => this.#seen(entries), {rootMargin: '120px'});
    for (const part of [root, this.details]) sight.observe(part);
    signal.addEventListener('abort', () => {
      sight.disconnect();
      this.words.stop();
      clearTimeout(this.#resting);
    }, {once: true});
  }

  /**
   * What is out of sight costs nothing while the cursor moves.
   *
   * @param {State} state
   */
  hear(state) {
    setHidden(this.root, !state.trace.data);
    clearTimeout(this.#resting);
    const moved = state.step !== this.#step;
    if (moved) this.group.scheduler.moved();
    this.#step = state.step;
    if (this.#inSight.has(this.root)) this.#update(state, moved);
    else if (state.columns.length > 0 || this.#cards.length > 0) this.#resting = window.setTimeout(() => this.#update(this.store.get()), REST);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #seen(entries) {
    for (const {target, isIntersecting} of entries) {
      if (isIntersecting) this.#inSight.add(target);
      else this.#inSight.delete(target);
    }
    if (this.#inSight.has(this.root)) this.#update(this.store.get());
  }

  /**
   * @param {State} state
   * @param {boolean} [moved] Whether nothing but the step is another than before.
   */
  #update(state, moved = false) {
    this.head.update(state);
    this.branches.update(state);
    const shown = state.columns.length > 0 && state.trace.data ? shownColumns(state) : [];
    this.#arrange(shown);
    if (this.#theme?.dark !== state.dark) this.#readTheme(state.dark);
    if (this.#inSight.has(this.root)) this.patching.update(state, /** @type {Theme} */ (this.#theme));
    this.group.scheduler.wake();
    this.#shown = shown;
    if (shown.length === 0) return;
    const models = modelsOf(shown, state, /** @type {Theme} */ (this.#theme));
    shown.forEach((one, at) => this.#cards[at].update(one, models[at], state));
    this.#delta?.update(shown, models, state);
    this.#part(shown, models);
    this.metrics.update(state);
    this.words.update(moved);
    this.group.scheduler.wake();
    if (!scalesKnown(shown)) this.#again();
  }

  #tellColumns() {
    const state = this.store.get();
    this.#shown.forEach((one, at) => this.#cards[at].tell(one, state));
    this.#delta?.tell();
  }

  /** @param {boolean} running */
  #tellDetails(running) {
    if (!running || this.#inSight.has(this.details)) this.operations.update(this.#shown);
  }

  /**
   * Says where each column first parts from the main trace, once both are complete; while another run is on its way, where
   * those on screen part.
   *
   * @param {Shown[]} shown
   * @param {(Model|null)[]} models
   */
  #part(shown, [a, ...others]) {
    others.forEach((b, at) => {
      const whole = a?.data.whole && b?.data.whole;
      this.#cards[at + 1].head.part(whole ? firstDivergence(a.data, b.data, null, shown[at + 1].offset) : null, shown[at + 1].offset);
    });
  }

  /**
   * Cards for exactly these columns.
   *
   * @param {Shown[]} shown
   */
  #arrange(shown) {
    const keys = shown.map(({letter, column}) => `${letter}/${column?.id ?? ''}`).join(' ');
    if (keys === this.#keys) return;
    this.#keys = keys;
    const part = document.activeElement?.getAttribute('data-part');
    const beside = besideIn(this.#columns, `[data-part="${part}"]`);
    keepFocus(this.#columns, () => this.#lay(shown), () => [...beside(), this.root.querySelector('#add-column')]);
  }

  /** @param {Shown[]} shown */
  #lay(shown) {
    for (const card of this.#cards) card.dispose();
    this.#cards = shown.map(({letter, column}) => new ColumnCard(letter, column, {store: this.store, actions: this.actions, group: this.group}));
    this.#columns.style.setProperty('--columns', String(shown.length + 1));
    this.#delta ??= shown.length > 0 ? this.makeDelta() : null;
    replaceChildren(this.#columns, ...[...this.#cards, this.#delta].map((card) => card?.element));
    for (const part of [this.#columns, this.details]) setHidden(part, shown.length === 0);
  }

  /** @param {boolean} dark */
  #readTheme(dark) {
    this.#theme = readTheme(this.root, dark);
    requestAnimationFrame(() => {
      const theme = readTheme(this.root, dark);
      if (JSON.stringify(theme) === JSON.stringify(this.#theme)) return;
      this.#theme = theme;
      this.#update(this.store.get());
    });
  }

  /** Goes on in the next frame, without a change of state. */
  #again() {
    requestAnimationFrame(() => {
      if (!this.signal.aborted) this.hear(this.store.get());
    });
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#notice.hidden = false;
    setText(this.#notice, `The plots cannot be drawn in full: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
}
