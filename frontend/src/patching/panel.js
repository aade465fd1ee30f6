// Activation patching on the page: what is asked, how far the server is, the map, and what a cell becomes.

/** @import {Actions} from '../actions.js' */
/** @import {Api} from '../api.js' */
/** @import {PanelGroup} from '../compare/panel_group.js' */
/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Panel} from '../views/panel.js' */
/** @import {Theme} from '../views/theme.js' */
/** @import {PatchAsked, PatchMap, PatchView} from './asked.js' */
import {modelFor} from '../compare/align.js';
import {patiently} from '../compare/column_loader.js';
import {PanelList} from '../compare/panel_list.js';
import {failureFrom} from '../failure.js';
import {keepFocus} from '../focus.js';
import {el, replaceChildren} from '../shell/dom.js';
import {bitsText} from '../shell/status.js';
import {setHidden, setText} from '../views/dom.js';
import {patchAsked, patchBody} from './asked.js';
import {patchForm} from './form.js';
import {MEASURED, patchPlot, rowWords} from './plot.js';

/** A press that moves further than this, in CSS pixels, is a drag: Plotly zooms. */
const CLICK_RADIUS = 4;

/** @typedef {{asked: PatchAsked, map: PatchMap, trace: State['trace']}} Measured With A's trace, along whose steps the map lies. */

export class PatchingPanel {
  /** @type {AbortController|null} */ #running = null;
  /** @type {Measured|null} */ #measured = null;
  /** @type {PatchView|null} The last that was asked, or given up. */ #asked = null;
  #problem = '';
  #cancel = el('button', {type: 'button', class: 'button', hidden: true, onclick: () => this.#running?.abort()}, 'Cancel');
  #progress = el('progress', {hidden: true, max: 1, 'aria-label': 'Progress of the map'});
  #note = el('span', {class: 'section-note', role: 'status'});
  #losses = el('p', {class: 'patching-losses'});
  #row = el('select', {class: 'select', id: 'patch-row'});
  #fork = el('button', {type: 'button', class: 'button', id: 'patch-fork', onclick: () => this.#forkAt(Number(this.#row.value), this.store.get().step)});
  #found = el('div', {class: 'patching-found', hidden: true});

  /** @param {{store: Store, api: Api, actions: Actions, group: PanelGroup, again: () => void, signal: AbortSignal}} parts */
  constructor({store, api, actions, group, again, signal}) {
    this.store = store;
    this.api = api;
    this.actions = actions;
    this.again = again;
    this.signal = signal;
    this.pointer = group.pointer(store);
    this.plot = new PanelList(group, store, this.pointer);
    replaceChildren(this.#found, el('p', {class: 'compare-note'}, MEASURED), this.#losses, this.plot.element,
      el('div', {class: 'patching-cell'}, el('label', {class: 'field-label', for: 'patch-row'}, 'Patch'), this.#row, this.#fork));
    this.form = patchForm(store, this.#cancel, this.#progress, this.#note);
    this.element = el('section', {class: 'compare-part patching', 'aria-labelledby': 'patching-title'},
      el('div', {class: 'section-head'}, el('h3', {id: 'patching-title'}, 'What carries the output'), this.form.element), this.#found);
    signal.addEventListener('abort', () => this.#running?.abort(), {once: true});
  }

  /**
   * @param {State} state
   * @param {Theme} theme
   */
  update(state, theme) {
    this.form.update(state, this.#running !== null);
    if (state.patching !== this.#asked && ready(state)) void this.#measure(state, state.patching);
    if (!this.#measured) return;
    this.#tell(state);
    const {steps} = this.#measured.map;
    setText(this.#fork, `Branch with this patch at t = ${state.step + 1}`);
    this.#fork.disabled = !(state.step >= steps[0] && state.step < steps[1]);
    const model = modelFor({...state, trace: this.#measured.trace, diff: false}, theme);
    if (!model) return;
    this.plot.update(model);
    this.plot.tell();
    this.pointer.update(state);
  }

  /**
   * @param {State} state
   * @param {PatchView|null} view
   */
  async #measure(state, view) {
    this.#running?.abort();
    this.#asked = view;
    if (!view) return this.#show(null);
    const asked = patchAsked(state, view);
    this.#say(typeof asked === 'string' ? asked : '');
    if (typeof asked === 'string') return;
    const running = new AbortController();
    this.#running = running;
    this.#busy(true);
    try {
      const tell = (/** @type {{done: number, total: number}} */ {done, total}) => {
        this.#progress.value = done / Math.max(1, total);
      };
      const map = await patiently(() => this.api.patch(patchBody(asked), tell, running.signal), running.signal);
      if (this.#running === running) this.#show({asked, map, trace: state.trace});
    } catch (error) {
      if (this.#running === running) this.#say(running.signal.aborted ? 'Cancelled.' : failureFrom(error).message);
    }
    if (this.#running !== running) return;
    this.#running = null;
    this.#busy(false);
    this.again();
  }

  /** @param {string} problem Why there is no map of what was asked last; stays until something else is asked. */
  #say(problem) {
    this.#problem = problem.charAt(0).toUpperCase() + problem.slice(1);
    setText(this.#note, this.#problem);
  }

  /** @param {boolean} busy */
  #busy(busy) {
    this.#progress.value = 0;
    keepFocus(this.#cancel, () => setHidden(this.#cancel, !busy), () => [this.form.start]);
    setHidden(this.#progress, !busy);
    this.form.update(this.store.get(), busy);
  }

  /** @param {Measured|null} measured */
  #show(measured) {
    this.#measured = measured;
    setHidden(this.#found, !measured);
    if (!measured) return this.plot.drop();
    const {map, trace} = measured;
    replaceChildren(this.#row, ...map.rows.map((row, at) => el('option', {value: at}, rowWords(row))));
    const [panel] = this.plot.show([patchPlot(map, trace.data?.header.steps ?? 0)]);
    this.#clicks(panel);
  }

  /**
   * Says which two runs the map is of, and whether they are still on screen.
   *
   * @param {State} state
   */
  #tell(state) {
    if (!this.#measured || this.#running) return;
    const {asked, map} = this.#measured;
    const words = `Clean: ${runWords(asked.clean)}, ${bitsText(map.loss_clean)} bits. Corrupted: ${runWords(asked.corrupted)}, ${bitsText(map.loss_corrupted)} bits.`;
    setText(this.#losses, words);
    const now = state.patching ? patchAsked(state, state.patching) : '';
    const same = typeof now !== 'string' && JSON.stringify(now) === JSON.stringify(asked);
    const changed = same ? '' : 'The runs have changed since: the map is of those named below.';
    setText(this.#note, [this.#problem, changed].filter(Boolean).join(' '));
  }

  /** @param {Panel} panel Whose cells become branches by a click. */
  #clicks(panel) {
    panel.host.addEventListener('pointerdown', (down) => {
      if (down.button !== 0) return;
      document.addEventListener('pointerup', (up) => {
        const place = panel.placeAt(up.clientX, up.clientY);
        if (place && Math.hypot(up.clientX - down.clientX, up.clientY - down.clientY) <= CLICK_RADIUS) this.#forkAt(Math.round(place.y), Math.round(place.x) - 1);
      }, {once: true, signal: this.signal});
    }, {capture: true});
  }

  /**
   * @param {number} row
   * @param {number} step
   */
  #forkAt(row, step) {
    if (!this.#measured) return;
    const {asked, map: {rows, steps}} = this.#measured;
    if (rows[row] && step >= steps[0] && step < steps[1]) this.actions.forkPatched(asked, rows[row], step);
  }
}

/**
 * @param {State} state
 * @returns {boolean} Whether the traces on screen are what they will be.
 */
function ready({trace, columns}) {
  const settled = [trace, ...columns.map((column) => column.trace)].every(({status}) => status === 'ready' || status === 'failed');
  return settled && trace.status === 'ready';
}

/** @param {PatchAsked['clean']} request */
function runWords({checkpoint, mode, interventions, inputs, seed}) {
  const edits = interventions.length === 0 ? '' : `, ${interventions.length} ${interventions.length === 1 ? 'edit' : 'edits'}`;
  return `${checkpoint}${mode === 'full' ? '' : `, ${mode.replaceAll('_', ' ')}`}${edits}, ${inputs ? 'typed rows' : `seed ${seed}`}`;
}
