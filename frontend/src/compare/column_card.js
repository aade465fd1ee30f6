// One column: what stands above it, and its plots.

/** @import {Actions} from '../actions.js' */
/** @import {State, TraceHeader} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Model} from '../views/model.js' */
/** @import {Panel, PlotSpec} from '../views/panel.js' */
/** @import {Shown} from './align.js' */
/** @import {PanelGroup} from './panel_group.js' */
import {el} from '../shell/dom.js';
import {setHidden} from '../views/dom.js';
import {mainStep, shownColumns} from './align.js';
import {columnHead} from './column_head.js';
import {columnPlots, under} from './column_plots.js';
import {StageGroup} from './stage_group.js';
import {stageHeatmaps} from './stage_heatmaps.js';

export class ColumnCard {
  /** @type {Panel[]} */ #panels = [];
  #heads = '';

  /**
   * @param {string} letter
   * @param {Shown['column']} column
   * @param {{store: Store, actions: Actions, group: PanelGroup}} parts
   */
  constructor(letter, column, {store, actions, group}) {
    this.letter = letter;
    this.group = group;
    this.store = storeOf(letter, store);
    this.pointer = group.pointer(this.store);
    this.head = columnHead(letter, column, {store, actions});
    this.plots = el('div', {class: 'column-plots'});
    this.stages = new StageGroup(() => stageHeatmaps().map((spec) => under(letter, spec)), {page: store, column: this.store, group, pointer: this.pointer});
    this.element = el('article', {class: 'column', 'aria-label': `Column ${letter}`, 'data-column': letter}, this.head.element, this.plots);
  }

  /**
   * @param {Shown} shown
   * @param {Model|null} model
   * @param {State} state Of the page.
   */
  update(shown, model, state) {
    this.head.update(shown, state);
    const busy = String(shown.state.trace.status === 'pending');
    if (this.plots.getAttribute('aria-busy') !== busy) this.plots.setAttribute('aria-busy', busy);
    setHidden(this.plots, !model);
    if (!model) return;
    const {header} = model.data;
    const heads = signatureOf(header);
    if (heads !== this.#heads) {
      this.#heads = heads;
      this.#build(columnPlots(this.letter, header));
    }
    for (const panel of this.#panels) {
      panel.update(model);
      panel.tell();
    }
    this.stages.update(model, state);
    this.pointer.update(shown.state);
  }

  /** @param {PlotSpec[]} specs */
  #build(specs) {
    this.group.drop(this.#panels);
    this.#panels = specs.map((spec) => this.group.make(spec, this.store, this.pointer));
    this.plots.replaceChildren(...this.#panels.map(({element}) => element), this.stages.element);
    this.group.watch(this.#panels);
  }

  dispose() {
    this.stages.drop();
    this.group.drop(this.#panels);
    this.element.remove();
  }
}

/**
 * @param {TraceHeader} header
 * @returns {string} What the plots of a trace depend on, but for its numbers.
 */
function signatureOf({heads, shifts, config, output_channels, dtype, axes}) {
  return JSON.stringify([heads, shifts, config.write_order, output_channels, dtype, axes.location, axes.word]);
}

/**
 * The page's store as the plots of one column see it: with its trace, and steps as it counts them.
 *
 * @param {string} letter
 * @param {Store} store
 * @returns {Store}
 */
export function storeOf(letter, store) {
  const shown = () => {
    const columns = shownColumns(store.get());
    return columns.find((one) => one.letter === letter) ?? columns[0];
  };
  return {
    get: () => shown().state,
    set(patch) {
      const {offset} = shown();
      const time = patch.zoom?.time;
      store.set({
        ...patch,
        ...(patch.step === undefined ? {} : {step: mainStep(store.get(), patch.step, offset)}),
        ...(patch.zoom ? {zoom: {...patch.zoom, time: time ? [time[0] - offset, time[1] - offset] : patch.zoom.time}} : {}),
      });
    },
    subscribe: store.subscribe,
  };
}
