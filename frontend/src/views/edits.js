// What a person changed by hand, each with a way to take it back.

/** @import {Actions} from '../actions.js' */
/** @import {Intervention, TraceRequest} from '../state.js' */
/** @import {Store} from '../store.js' */
import {editWords} from '../change_words.js';
import {element, setHidden, setText} from './dom.js';

export class Edits {
  #hint = element('p', {class: 'edits-hint'}, 'Click β, g, γ or s above to change it in this step; drag the bars.');
  #list = element('ul', {class: 'edits-list'});
  #all = element('button', {type: 'button', class: 'edits-all'}, 'Remove all');
  #free = element('input', {type: 'checkbox'});
  #foot = element('div', {class: 'edits-foot'},
    element('label', {class: 'edits-free', title: 'Numbers that no machine would compute, such as a gate above 1, are refused unless this is on'},
      this.#free, 'leave constraints'), this.#all);
  #title = element('h3');
  /** @type {Intervention[]|null} */ #shown = null;

  /** @param {{store: Store, actions: Actions}} parts */
  constructor({store, actions}) {
    this.store = store;
    this.actions = actions;
    this.element = element('section', {'aria-label': 'Edits', class: 'edits'}, this.#title, this.#hint, this.#list, this.#foot);
    this.#all.addEventListener('click', () => actions.intervene({interventions: []}));
    this.#free.addEventListener('change', () => actions.intervene({leave_constraints: this.#free.checked}));
  }

  /**
   * @param {TraceRequest} request
   * @param {string} locked Why nothing can be edited; empty if it can.
   */
  update({interventions, leave_constraints}, locked) {
    setHidden(this.element, Boolean(locked));
    if (this.#free.checked !== leave_constraints) this.#free.checked = leave_constraints;
    setHidden(this.#foot, interventions.length === 0 && !leave_constraints);
    if (interventions === this.#shown) return;
    this.#shown = interventions;
    setText(this.#title, interventions.length === 0 ? 'Edits' : `Edits (${interventions.length})`);
    setHidden(this.#hint, interventions.length > 0);
    setHidden(this.#all, interventions.length === 0);
    this.#list.replaceChildren(...interventions.map((edit) => this.#item(edit)));
  }

  /** @param {Intervention} edit */
  #item(edit) {
    const words = editWords(edit);
    const go = element('button', {type: 'button', class: 'edits-go', title: `${words}\nGo to this step`}, words);
    go.addEventListener('click', () => this.store.set({step: edit.steps?.[0] ?? this.store.get().step}));
    const remove = element('button', {type: 'button', class: 'edits-remove', 'aria-label': `Remove ${words}`, title: 'Remove this edit'}, '×');
    remove.addEventListener('click', () => this.actions.intervene({
      interventions: (this.store.get().request?.interventions ?? []).filter((other) => other !== edit),
    }));
    return element('li', {}, go, remove);
  }
}
