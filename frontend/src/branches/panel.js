// The tree of branches on the page: names, where each forks, how its run did, and what can be done with it.

/** @import {Actions} from '../actions.js' */
/** @import {State, TraceState} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Branch} from './tree.js' */
import {LETTERS, mainChoice, MOST_COLUMNS, requestOf} from '../compare/columns.js';
import {resultOf} from '../compare/column_head.js';
import {el, iconButton, replaceChildren} from '../shell/dom.js';
import {setHidden} from '../views/dom.js';
import {inColumn} from './moves.js';
import {asRead, branchOf, LONGEST_NAME, withChildren} from './tree.js';

/** Runs whose result is remembered. */
const MOST_RESULTS = 200;

export class BranchPanel {
  /** @type {Map<string, {text: string, tone: string}>} By request, as JSON. */ #results = new Map();
  /** @type {unknown[]} */ #seen = [];
  #list = el('ul', {class: 'branches', 'aria-label': 'Branches'});

  /** @param {{store: Store, actions: Actions}} parts */
  constructor({store, actions}) {
    this.store = store;
    this.actions = actions;
    this.element = el('section', {class: 'branch-panel', 'aria-labelledby': 'branches-title', hidden: true},
      el('div', {class: 'section-head'}, el('h3', {id: 'branches-title'}, 'Branches'),
        el('span', {class: 'compare-note'}, 'Runs that part from their parent at a step. Edits in the inspector belong to the branch that is A; those below it follow.')),
      this.#list);
  }

  /** @param {State} state */
  update(state) {
    this.#remember(state);
    const seen = [state.tree, state.columns, state.request, state.trace.status, state.checkpoints];
    if (seen.every((part, at) => part === this.#seen[at])) return;
    this.#seen = seen;
    setHidden(this.element, state.tree.branches.length === 0);
    const focus = focusOf(this.#list);
    replaceChildren(this.#list, ...asRead(state.tree).map(({branch, depth}) => this.#item(state, branch, depth)));
    if (focus) /** @type {HTMLElement|null} */ (this.#list.querySelector(`[data-branch="${focus.id}"] [data-part="${focus.part}"]`))?.focus();
  }

  /** @param {State} state Whose traces are kept in mind by how they did. */
  #remember(state) {
    const main = mainChoice(state);
    if (main) this.#note(JSON.stringify(requestOf(state, main)), state.trace);
    for (const {choice, trace} of state.columns) this.#note(JSON.stringify(requestOf(state, choice)), trace);
    for (const key of [...this.#results.keys()].slice(0, -MOST_RESULTS)) this.#results.delete(key);
  }

  /**
   * @param {string} key
   * @param {TraceState} trace
   */
  #note(key, trace) {
    if (trace.status === 'ready' || trace.status === 'failed') this.#results.set(key, resultOf(trace));
  }

  /**
   * @param {State} state
   * @param {Branch} branch
   * @param {number} depth
   */
  #item(state, branch, depth) {
    const {id, name} = branch;
    const letters = lettersOf(state, id);
    const result = this.#results.get(JSON.stringify(requestOf(state, {branch: id})));
    const input = el('input', {class: 'branch-name', 'data-part': 'name', 'aria-label': `Name of ${name}`, value: name, maxlength: LONGEST_NAME, spellcheck: 'false', size: Math.max(8, name.length),
      onchange: () => this.#rename(branch, input), onkeydown: (/** @type {KeyboardEvent} */ event) => leaveField(event, input, name)});
    const item = el('li', {class: 'branch', 'data-branch': id, 'data-shown': state.tree.shown === id},
      el('span', {class: 'branch-place'}, depth > 0 && el('span', {class: 'branch-elbow', 'aria-hidden': 'true'}), input, ...letters.map((letter) => (
        el('span', {class: 'branch-letter', title: letter === 'A' ? 'The main trace' : `In column ${letter}`}, letter)))),
      el('span', {class: 'branch-from'}, fromWords(state, branch)),
      el('span', {class: 'branch-result', 'data-tone': result?.tone ?? 'plain'}, result?.text.replace(/ · loss.*/, '') ?? 'not run yet'),
      this.#buttons(state, branch, letters));
    item.style.setProperty('--depth', String(depth));
    return item;
  }

  /**
   * @param {State} state
   * @param {Branch} branch
   * @param {string[]} letters Where it is on screen.
   */
  #buttons(state, {id, name}, letters) {
    const all = withChildren(state.tree, id).length;
    const full = state.columns.length >= MOST_COLUMNS;
    const button = (/** @type {string} */ part, /** @type {string} */ text, /** @type {string} */ label, /** @type {boolean} */ disabled, /** @type {() => void} */ onclick) => (
      el('button', {type: 'button', class: 'button', 'data-part': part, 'aria-label': `${text}: ${name}`, title: label, disabled, onclick}, text));
    const remove = iconButton('trash', all > 1 ? `Delete all ${all}: ${name} and the ${all - 1} below` : `Delete ${name}`, () => this.actions.deleteBranch(id), 'button-quiet');
    remove.dataset.part = 'delete';
    if (all > 1) remove.append(el('span', {class: 'branch-count'}, `all ${all}`));
    return el('span', {class: 'branch-buttons'},
      button('show', 'Show as A', 'Show as the main trace', state.tree.shown === id, () => this.actions.showBranch(id)),
      button('column', 'Add column', full ? 'All columns are taken' : 'Show in a column', full || letters.length > 0, () => this.store.set(inColumn(this.store.get(), id))),
      remove);
  }

  /**
   * @param {Branch} branch
   * @param {HTMLInputElement} input
   */
  #rename({id, name}, input) {
    this.actions.renameBranch(id, input.value);
    input.value = branchOf(this.store.get().tree, id)?.name ?? name;
  }
}

/**
 * @param {KeyboardEvent} event Enter keeps a name, Escape the one before.
 * @param {HTMLInputElement} input
 * @param {string} name
 */
function leaveField({key}, input, name) {
  if (key === 'Escape') input.value = name;
  if (key === 'Enter' || key === 'Escape') input.blur();
}

/**
 * @param {HTMLElement} list
 * @returns {{id: string, part: string}|null} What in it has the focus.
 */
function focusOf(list) {
  const part = document.activeElement?.closest('[data-part]');
  const item = part?.closest('[data-branch]');
  if (!part || !item || !list.contains(item)) return null;
  return {id: item.getAttribute('data-branch') ?? '', part: part.getAttribute('data-part') ?? ''};
}

/**
 * @param {State} state
 * @param {number} id
 * @returns {string[]} The letters of the columns that show this branch.
 */
function lettersOf({tree, columns}, id) {
  const others = columns.flatMap(({choice}, at) => ('branch' in choice && choice.branch === id ? [LETTERS[at + 1]] : []));
  return [...(tree.shown === id ? ['A'] : []), ...others];
}

/**
 * @param {State} state
 * @param {Branch} branch
 * @returns {string} Where it starts, and how many edits are its own.
 */
function fromWords(state, {parent, step, interventions, mode}) {
  const count = interventions.length === 1 ? '1 edit' : `${interventions.length} edits`;
  const title = state.modes.status === 'ready' ? state.modes.value.find(({name}) => name === mode)?.title : mode;
  const start = parent === null ? `from the start, ${(title ?? mode).toLowerCase()}` : `from t = ${step + 1}`;
  return `${start} · ${interventions.length === 0 ? 'no edits yet' : count}`;
}
