// What a person changed by hand, each with a way to take it back.

/** @import {Actions} from '../actions.js' */
/** @import {Tree} from '../branches/tree.js' */
/** @import {Intervention, TraceRequest} from '../state.js' */
/** @import {Store} from '../store.js' */
import {branchOf, inheritedEdits} from '../branches/tree.js';
import {editWords} from '../change_words.js';
import {moveTo} from '../cursor.js';
import {besideIn, keepFocus} from '../focus.js';
import {element, setHidden, setText} from './dom.js';

export class Edits {
  #hint = element('p', {class: 'edits-hint'}, 'Click a number above or a cell of a vector below to change it in this step, or drag a bar.');
  #list = element('ul', {class: 'edits-list'});
  #all = element('button', {type: 'button', class: 'edits-all'}, 'Remove all');
  #free = element('input', {type: 'checkbox'});
  #foot = element('div', {class: 'edits-foot'},
    element('label', {class: 'edits-free', title: 'Numbers that no machine would compute, such as a gate above 1, are refused unless this is on'},
      this.#free, 'leave constraints'), this.#all);
  #title = element('h3');
  #fork = element('button', {type: 'button', class: 'edits-fork', title: 'Makes a branch of this run that starts at the cursor, and puts this run beside it (F)'}, 'Fork here');
  #branch = element('p', {class: 'edits-branch'});
  /** @type {Intervention[]|null} */ #shown = null;
  /** @type {Tree|null} */ #tree = null;

  /** @param {{store: Store, actions: Actions}} parts */
  constructor({store, actions}) {
    this.store = store;
    this.actions = actions;
    this.element = element('section', {'aria-label': 'Edits', class: 'edits'},
      element('div', {class: 'edits-head'}, this.#title, this.#fork), this.#branch, this.#hint, this.#list, this.#foot);
    // A double click is meant as one.
    this.#fork.addEventListener('click', ({detail}) => {
      if (detail <= 1) actions.fork();
    });
    this.#all.addEventListener('click', () => actions.takeBack(() => false));
    this.#free.addEventListener('change', () => actions.allow(this.#free.checked));
  }

  /**
   * @param {TraceRequest} request
   * @param {Tree} tree
   * @param {string} locked Why nothing can be edited; empty if it can.
   */
  update(request, tree, locked) {
    const beside = besideIn(this.#list, '.edits-remove');
    keepFocus(this.element, () => this.#update(request, tree, locked), () => [...beside(), this.#list.querySelector('button'), this.#fork]);
  }

  /**
   * @param {TraceRequest} request
   * @param {Tree} tree
   * @param {string} locked
   */
  #update({interventions, leave_constraints}, tree, locked) {
    setHidden(this.element, Boolean(locked));
    if (this.#free.checked !== leave_constraints) this.#free.checked = leave_constraints;
    setHidden(this.#foot, interventions.length === 0 && !leave_constraints);
    if (interventions === this.#shown && tree === this.#tree) return;
    this.#shown = interventions;
    this.#tree = tree;
    const inherited = inheritedEdits(tree);
    setText(this.#title, interventions.length === 0 ? 'Edits' : `Edits (${interventions.length})`);
    this.#tellBranch(tree);
    setHidden(this.#hint, interventions.length > 0);
    setHidden(this.#all, interventions.length === inherited);
    this.#list.replaceChildren(...interventions.map((edit, at) => this.#item(edit, at >= inherited)));
  }

  /** @param {Tree} tree */
  #tellBranch(tree) {
    const branch = branchOf(tree, tree.shown);
    const parent = branchOf(tree, branch?.parent);
    setHidden(this.#branch, !branch);
    if (branch) setText(this.#branch, `Edits belong to ${branch.name}${parent ? `, which left ${parent.name} at t = ${branch.step + 1}` : ''}.`);
  }

  /**
   * @param {Intervention} edit
   * @param {boolean} own Whether it is not that of a branch above.
   */
  #item(edit, own) {
    const words = editWords(edit);
    const go = element('button', {type: 'button', class: 'edits-go', title: `${words}\nGo to this step`}, words);
    go.addEventListener('click', () => this.store.set(moveTo(this.store.get(), edit.steps?.[0] ?? this.store.get().step)));
    if (!own) return element('li', {}, go, element('span', {class: 'edits-above', title: 'An edit of the branch that this one was forked from: show that one to change it'}, 'above'));
    const remove = element('button', {type: 'button', class: 'edits-remove', 'aria-label': `Remove ${words}`, title: 'Remove this edit'}, '×');
    remove.addEventListener('click', () => this.actions.takeBack((other) => other !== edit));
    return element('li', {}, go, remove);
  }
}
