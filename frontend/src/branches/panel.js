// The tree of branches on the page: names, where each forks, how its run did, and what can be done with it.

/** @import {Actions} from '../actions.js' */
/** @import {Api} from '../api.js' */
/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
import {besideIn, keepFocus} from '../focus.js';
import {el} from '../shell/dom.js';
import {setHidden} from '../views/dom.js';
import {BranchItem} from './item.js';
import {BranchResults} from './results.js';
import {asRead} from './tree.js';

export class BranchPanel {
  /** @type {Map<number, BranchItem>} By id, in the order of the page. */ #items = new Map();
  /** @type {unknown[]} */ #seen = [];
  #list = el('ul', {class: 'branches', 'aria-label': 'Branches'});

  /** @param {{store: Store, api: Api, actions: Actions, signal: AbortSignal}} parts */
  constructor({store, api, actions, signal}) {
    this.store = store;
    this.actions = actions;
    this.element = el('section', {class: 'branch-panel', 'aria-labelledby': 'branches-title', hidden: true},
      el('div', {class: 'section-head'}, el('h3', {id: 'branches-title'}, 'Branches'),
        el('span', {class: 'compare-note'}, 'Runs that part from their parent at a step. Edits in the inspector belong to the branch that is A; those below it follow.')),
      this.#list);
    this.results = new BranchResults({store, api, changed: () => this.#changed(), signal});
  }

  /** @param {State} state */
  update(state) {
    const seen = [state.tree, state.columns, state.request, state.trace.status, state.checkpoints, state.modes];
    if (seen.every((part, at) => part === this.#seen[at])) return;
    this.#seen = seen;
    const part = document.activeElement?.closest('[data-part]')?.getAttribute('data-part');
    keepFocus(this.element, () => this.#show(state), besideIn(this.#list, `[data-part="${part}"]`));
  }

  /** @param {State} state */
  #show(state) {
    setHidden(this.element, state.tree.branches.length === 0);
    const rows = asRead(state.tree);
    this.#arrange(rows.map(({branch: {id}}) => id));
    for (const {branch, depth} of rows) this.#items.get(branch.id)?.update(state, branch, depth, this.results.of(state, branch.id));
  }

  /** Shows a result that has become known. */
  #changed() {
    this.#seen = [];
    if (!this.element.hidden) this.update(this.store.get());
  }

  /**
   * An item for exactly these branches, in this order.
   *
   * @param {number[]} ids
   */
  #arrange(ids) {
    if (ids.join() === [...this.#items.keys()].join()) return;
    this.#items = new Map(ids.map((id) => [id, this.#items.get(id) ?? new BranchItem(id, this)]));
    this.#list.replaceChildren(...[...this.#items.values()].map(({element}) => element));
  }
}
