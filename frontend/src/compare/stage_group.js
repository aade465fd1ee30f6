// A part of a column that folds: the stages of the selected head, whose plots are there only while it is open.

/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Model} from '../views/model.js' */
/** @import {PlotSpec} from '../views/panel.js' */
/** @import {PanelGroup, PointerType} from './panel_group.js' */
import {el} from '../shell/dom.js';
import {setText} from '../views/dom.js';
import {PanelList} from './panel_list.js';

export class StageGroup {
  #title = el('span', {});

  /**
   * @param {() => PlotSpec[]} specs
   * @param {{page: Store, column: Store, group: PanelGroup, pointer: PointerType}} parts The page's store, which says
   *   whether all of these are open, and the store as this column sees it.
   */
  constructor(specs, {page, column, group, pointer}) {
    this.specs = specs;
    this.plots = new PanelList(group, column, pointer);
    const summary = el('summary', {}, this.#title, el('span', {class: 'text-muted'}, 'content, gated, shifted'));
    summary.addEventListener('click', (event) => {
      event.preventDefault();
      page.set(turned(page.get()));
    });
    this.element = el('details', {class: 'column-stages'}, summary, this.plots.element);
  }

  /**
   * @param {Model} model
   * @param {State} state Of the page.
   */
  update(model, {compare}) {
    setText(this.#title, `Stages of ${model.data.header.heads[model.head].name}`);
    this.#open(compare.stages === 'open');
    this.plots.update(model);
  }

  /** @param {boolean} open */
  #open(open) {
    if (this.element.open === open) return;
    this.element.open = open;
    if (!open) return this.drop();
    this.plots.show(this.specs());
  }

  /** Takes the plots away, but not the group. */
  drop() {
    this.plots.drop();
  }
}

/**
 * @param {Pick<State, 'compare'>} state
 * @returns {Pick<State, 'compare'>} With the stages of all columns opened, or closed where they were open.
 */
export function turned({compare}) {
  return {compare: {...compare, stages: compare.stages === 'open' ? 'closed' : 'open'}};
}
