// The column Δ: what one column has more or less than A, after its rows have been put into A's order.

/** @import {Api} from '../api.js' */
/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {TraceData} from '../trace_data.js' */
/** @import {Model} from '../views/model.js' */
/** @import {Shown} from './align.js' */
/** @import {CompareView} from './columns.js' */
/** @import {Parting} from './first_divergence.js' */
/** @import {PanelGroup} from './panel_group.js' */
import {moveTo} from '../cursor.js';
import {el, replaceChildren} from '../shell/dom.js';
import {choice} from '../views/controls.js';
import {setHidden, setText} from '../views/dom.js';
import {requestOf} from './columns.js';
import {cannotSubtract, deltaPlots, deltaStages} from './delta_plots.js';
import {divergenceText, firstDivergence} from './first_divergence.js';
import {bestMatching, Matcher, matchingText, refusedRun} from './matching.js';
import {PanelList} from './panel_list.js';
import {StageGroup} from './stage_group.js';

/** @typedef {{rows: readonly number[]|null, text: string}} Matched */

/** @typedef {Matched & {a: TraceData, b: TraceData}} Kept */

export class DeltaCard {
  #built = '';
  #letters = '';
  #parting = 0;
  /** @type {Kept|null} How the two traces on screen are matched. */ #kept = null;

  /** @param {{store: Store, api: Api, group: PanelGroup, changed: () => void, signal: AbortSignal}} parts */
  constructor({store, api, group, changed, signal}) {
    this.store = store;
    this.matcher = new Matcher(api, changed, signal);
    this.pointer = group.pointer(store);
    this.plots = new PanelList(group, store, this.pointer);
    this.stages = new StageGroup(deltaStages, {page: store, column: store, group, pointer: this.pointer});
    this.which = el('select', {class: 'select', 'aria-label': 'Column from which A is subtracted'});
    this.which.addEventListener('change', () => this.#set({delta: /** @type {CompareView['delta']} */ (this.which.value)}));
    this.rows = choice('Rows', [['matched', 'matched'], ['raw', 'raw']], store, ({compare}) => compare.rows,
      (rows, {compare}) => ({compare: {...compare, rows}}));
    this.line = el('span', {class: 'column-parting', id: 'matching'});
    this.jump = el('button', {type: 'button', class: 'button', hidden: true, onclick: () => store.set(moveTo(store.get(), this.#parting))}, 'Go there');
    this.element = el('article', {class: 'column', 'aria-label': 'Difference', 'data-column': 'Δ'},
      el('header', {class: 'column-head'},
        el('div', {class: 'column-choice'}, el('h3', {class: 'column-letter'}, 'Δ'), '=', this.which, '− A', this.rows.element),
        el('p', {class: 'column-line'}, this.line, this.jump)),
      this.plots.element);
  }

  /** @param {Partial<CompareView>} patch */
  #set(patch) {
    this.store.set({compare: {...this.store.get().compare, ...patch}});
  }

  /**
   * @param {Shown[]} shown
   * @param {(Model|null)[]} models
   * @param {State} state
   */
  update(shown, models, state) {
    const at = Math.max(1, shown.findIndex(({letter}) => letter === state.compare.delta));
    this.#choose(shown, shown[at].letter);
    this.rows.update(state);
    const [a, b] = [models[0], models[at]];
    const ready = [state, shown[at].state].every(({trace: {status}}) => status === 'ready');
    const known = a && b && (ready || this.#holds(a.data, b.data));
    const problem = known ? cannotSubtract(a.data, b.data) : 'Once both traces are complete.';
    setHidden(this.plots.element, problem !== null);
    if (problem !== null || !a || !b) return this.#say(problem ?? '', null, 0);
    const matched = this.#kept && !ready ? this.#kept : this.#matched(state, shown[at], this.#rowsBefore(a.data, b.data));
    this.#kept = {a: a.data, b: b.data, ...matched};
    const {offset} = shown[at];
    this.#say(matched.text, matched.rows && firstDivergence(a.data, b.data, matched.rows, offset), offset);
    this.#build(a, b);
    const other = {b: b.data, rows: matched.rows, offset, letter: shown[at].letter};
    /** @type {import('./delta_plots.js').DeltaModel} */
    const model = {...a, reference: null, memoryLimit: Math.max(a.memoryLimit, b.memoryLimit), other};
    this.plots.update(model);
    this.stages.update(model, state);
    this.pointer.update(state);
  }

  /**
   * @param {TraceData} a
   * @param {TraceData} b
   * @returns {boolean} Whether it is known how these two are matched, which stay on screen while another run is on its way.
   */
  #holds(a, b) {
    return this.#kept?.a === a && this.#kept.b === b;
  }

  /**
   * @param {State} state
   * @param {Shown} shown
   * @param {readonly number[]|null} before Rows to go on with until the matching is known.
   * @returns {Matched}
   */
  #matched(state, {column, offset}, before) {
    const b = column && requestOf(state, column.choice);
    if (state.compare.rows === 'raw' || !state.request || !b) return {rows: null, text: 'Rows as they are.'};
    const found = this.matcher.found(state.request, b, offset);
    const text = matchingText(found, state, refusedRun(state.request, b));
    if (found.status === 'pending') return {rows: before, text: before ? `${text} Until then as before.` : text};
    const rows = bestMatching(found)?.rows ?? null;
    return {rows: String(rows) === String(before) ? before : rows, text};
  }

  /**
   * @param {TraceData} a
   * @param {TraceData} b
   * @returns {readonly number[]|null} With which the last traces of these two machines were matched.
   */
  #rowsBefore(a, b) {
    const last = this.#kept;
    return last && sameMachine(last.a, a) && sameMachine(last.b, b) ? last.rows : null;
  }

  /**
   * @param {string} text
   * @param {Parting|null} parting With the rows matched.
   * @param {number} offset
   */
  #say(text, parting, offset) {
    setText(this.line, parting ? `${text} ${divergenceText(parting, offset)}` : text);
    setHidden(this.jump, !parting?.first);
    this.#parting = parting?.first?.step ?? 0;
  }

  /**
   * @param {Shown[]} shown
   * @param {string} letter
   */
  #choose(shown, letter) {
    const letters = shown.slice(1).map((one) => one.letter);
    if (letters.join('') !== this.#letters) replaceChildren(this.which, ...letters.map((one) => el('option', {value: one}, one)));
    this.#letters = letters.join('');
    if (this.which.value !== letter) this.which.value = letter;
  }

  /**
   * @param {Model} a
   * @param {Model} b
   */
  #build(a, b) {
    const built = JSON.stringify([a, b].map(({data: {header}}) => [header.heads, header.axes.location, header.axes.word]));
    if (built === this.#built) return;
    this.#built = built;
    this.plots.show(deltaPlots(a.data, b.data), this.stages.element);
  }

  /** Brings the words beside the plots to the present. */
  tell() {
    this.plots.tell();
    this.stages.plots.tell();
  }

  dispose() {
    this.stages.drop();
    this.plots.drop();
    this.element.remove();
  }
}

/**
 * @param {TraceData} one
 * @param {TraceData} other
 */
function sameMachine(one, other) {
  const {checkpoint} = one.header;
  return one === other || (checkpoint !== null && checkpoint === other.header.checkpoint);
}
