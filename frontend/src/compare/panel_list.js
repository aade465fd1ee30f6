// Plots below each other, which come and go together.

/** @import {Store} from '../store.js' */
/** @import {Model} from '../views/model.js' */
/** @import {Panel, PlotSpec} from '../views/panel.js' */
/** @import {PanelGroup, PointerType} from './panel_group.js' */
import {el} from '../shell/dom.js';

export class PanelList {
  /** @type {Panel[]} */ #panels = [];
  element = el('div', {class: 'column-plots'});

  /**
   * @param {PanelGroup} group
   * @param {Store} store As the plots see it.
   * @param {PointerType} pointer
   */
  constructor(group, store, pointer) {
    this.group = group;
    this.store = store;
    this.pointer = pointer;
  }

  /**
   * @param {PlotSpec[]} specs Of the plots that come in place of those before.
   * @param {HTMLElement[]} last What stands below the plots.
   * @returns {Panel[]}
   */
  show(specs, ...last) {
    this.group.drop(this.#panels);
    this.#panels = specs.map((spec) => this.group.make(spec, this.store, this.pointer));
    this.element.replaceChildren(...this.#panels.map(({element}) => element), ...last);
    this.group.watch(this.#panels);
    return this.#panels;
  }

  /** @param {Model} model */
  update(model) {
    for (const panel of this.#panels) panel.update(model);
  }

  /** Brings the words beside the titles to the present. */
  tell() {
    for (const panel of this.#panels) panel.tell();
  }

  drop() {
    this.show([]);
  }
}
