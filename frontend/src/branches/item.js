// One branch in the tree on the page. It stays in the page while it changes, so that what a person types or presses in
// it is not taken from under their hands.

/** @import {Actions} from '../actions.js' */
/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Branch} from './tree.js' */
/** @import {Result} from './results.js' */
import {modeOf} from '../change_words.js';
import {LEFT} from '../compare/column_head.js';
import {LETTERS, MOST_COLUMNS} from '../compare/columns.js';
import {el, icon, replaceChildren} from '../shell/dom.js';
import {isIdle, setHidden, setIdle, setText} from '../views/dom.js';
import {inColumn} from './moves.js';
import {branchOf, LONGEST_NAME, withChildren} from './tree.js';

/** In characters: a short name still is a field that can be hit. */
const SHORTEST_FIELD = 8;

export class BranchItem {
  #name = '';
  #letters = '';
  #elbow = el('span', {class: 'branch-elbow', 'aria-hidden': 'true'});
  #places = el('span', {class: 'branch-letters'});
  #from = el('span', {class: 'branch-from'});
  #result = el('span', {class: 'branch-result'});
  #violation = el('span', {class: 'violation branch-violation', title: LEFT, hidden: true});
  #count = el('span', {class: 'branch-count'});

  /**
   * @param {number} id
   * @param {{store: Store, actions: Actions}} parts
   */
  constructor(id, {store, actions}) {
    this.id = id;
    this.store = store;
    this.actions = actions;
    this.input = el('input', {class: 'branch-name', 'data-part': 'name', maxlength: LONGEST_NAME, spellcheck: 'false', onchange: () => this.#rename(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.#typed(event)});
    this.show = button('show', () => actions.showBranch(id), 'Show as A');
    this.show.title = 'Show as the main trace';
    this.column = button('column', () => store.set(inColumn(store.get(), id)), 'Add column');
    this.remove = button('delete', () => actions.deleteBranch(id), icon('trash'), this.#count);
    this.remove.classList.add('button-icon', 'button-quiet');
    this.element = el('li', {class: 'branch', 'data-branch': id},
      el('span', {class: 'branch-place'}, this.#elbow, this.input, this.#places), this.#from, this.#result,
      el('span', {class: 'branch-buttons'}, this.show, this.column, this.remove), this.#violation);
  }

  /**
   * @param {State} state
   * @param {Branch} branch
   * @param {number} depth
   * @param {Result|undefined} result Undefined while it is not known.
   */
  update(state, branch, depth, result) {
    this.#updateName(branch.name);
    this.element.style.setProperty('--depth', String(depth));
    this.element.toggleAttribute('data-shown', state.tree.shown === this.id);
    setHidden(this.#elbow, depth === 0);
    setText(this.#from, fromWords(state, branch));
    setText(this.#result, result?.text.replace(/ · loss.*/, '') ?? 'not run yet');
    this.#result.dataset.tone = result?.tone ?? 'plain';
    setHidden(this.#violation, !result?.violation);
    setText(this.#violation, result?.violation ?? '');
    const letters = lettersOf(state, this.id);
    this.#updateLetters(letters);
    this.#updateButtons(state, branch, letters);
  }

  /** @param {string} name What is being typed stays until it is left. */
  #updateName(name) {
    if (name === this.#name) return;
    if (this.input.value === this.#name) this.input.value = name;
    this.#name = name;
    this.input.size = Math.max(SHORTEST_FIELD, name.length);
    this.input.setAttribute('aria-label', `Name of ${name}`);
  }

  /** @param {string[]} letters */
  #updateLetters(letters) {
    if (letters.join('') === this.#letters) return;
    this.#letters = letters.join('');
    replaceChildren(this.#places, ...letters.map((letter) => (
      el('span', {class: 'branch-letter', title: letter === 'A' ? 'The main trace' : `In column ${letter}`}, letter))));
  }

  /**
   * @param {State} state
   * @param {Branch} branch
   * @param {string[]} letters Where it is on screen.
   */
  #updateButtons(state, {name}, letters) {
    const all = withChildren(state.tree, this.id).length;
    const full = state.columns.length >= MOST_COLUMNS;
    setIdle(this.show, state.tree.shown === this.id);
    setIdle(this.column, full || letters.length > 0);
    this.column.title = full ? 'All columns are taken' : 'Show in a column';
    this.show.setAttribute('aria-label', `Show as A: ${name}`);
    this.column.setAttribute('aria-label', `Add column: ${name}`);
    this.remove.title = all > 1 ? `Delete all ${all}: ${name} and the ${all - 1} below` : `Delete ${name}`;
    this.remove.setAttribute('aria-label', this.remove.title);
    setText(this.#count, all > 1 ? `all ${all}` : '');
  }

  #rename() {
    this.actions.renameBranch(this.id, this.input.value);
    this.input.value = this.#name;
    this.#updateName(branchOf(this.store.get().tree, this.id)?.name ?? this.#name);
  }

  /** @param {KeyboardEvent} event Enter keeps a name, Escape the one before; neither takes the focus away. */
  #typed({key}) {
    if (key === 'Escape') this.input.value = this.#name;
    if (key === 'Enter') this.#rename();
  }
}

/**
 * @param {string} part
 * @param {() => void} onclick
 * @param {...(Node|string)} children
 */
function button(part, onclick, ...children) {
  const made = el('button', {type: 'button', class: 'button', 'data-part': part, onclick: () => {
    if (!isIdle(made)) onclick();
  }}, ...children);
  return made;
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
  const title = modeOf(state, mode)?.title;
  const start = parent === null ? `from the start, ${(title ?? mode).toLowerCase()}` : `from t = ${step + 1}`;
  return `${start} · ${interventions.length === 0 ? 'no edits yet' : count}`;
}
