// The column Δ: what one column has more or less than A, after its rows have been put into A's order.

/** @import {Api} from '../api.js' */
/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
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
import {bestMatching, Matcher, matchingText} from './matching.js';
import {PanelList} from './panel_list.js';
import {StageGroup} from './stage_group.js';

/** @typedef {{rows: readonly number[]|null, text: string}} Matched */

export class DeltaCard {
  #built = '';
  #letters = '';
  #parting = 0;

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
    const whole = [shown[0], shown[at]].every((one) => one.state.trace.status === 'ready');
    const problem = a && b && whole ? cannotSubtract(a.data, b.data) : 'Once both traces are complete.';
    setHidden(this.plots.element, problem !== null);
    if (problem !== null || !a || !b) return this.#say(problem ?? '', null, 0);
    const {offset} = shown[at];
    const matched = this.#matched(state, shown[at]);
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
   * @param {State} state
   * @param {Shown} shown
   * @returns {Matched}
   */
  #matched(state, {column, offset}) {
    const b = column && requestOf(state, column.choice);
    if (state.compare.rows === 'raw' || !state.request || !b) return {rows: null, text: 'Rows as they are.'};
    const found = this.matcher.found(state.request, b);
    const text = matchingText(found);
    return {rows: bestMatching(found)?.rows ?? null, text: offset === 0 || found.status !== 'ready' ? text : `${text} The matching was found step by step.`};
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
