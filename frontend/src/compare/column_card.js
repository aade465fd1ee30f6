// One column: what stands above it, and its plots.

/** @import {Actions} from '../actions.js' */
/** @import {State, TraceHeader} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Model} from '../views/model.js' */
/** @import {Shown} from './align.js' */
/** @import {PanelGroup} from './panel_group.js' */
import {moveTo} from '../cursor.js';
import {el} from '../shell/dom.js';
import {setBusy, setHidden} from '../views/dom.js';
import {headNamedAs, shownColumns} from './align.js';
import {columnHead} from './column_head.js';
import {columnPlots, under} from './column_plots.js';
import {PanelList} from './panel_list.js';
import {StageGroup} from './stage_group.js';
import {stageHeatmaps} from './stage_heatmaps.js';

export class ColumnCard {
  #heads = '';

  /**
   * @param {string} letter
   * @param {Shown['column']} column
   * @param {{store: Store, actions: Actions, group: PanelGroup}} parts
   */
  constructor(letter, column, {store, actions, group}) {
    this.letter = letter;
    this.store = storeOf(letter, store);
    this.pointer = group.pointer(this.store);
    this.head = columnHead(letter, column, {store, actions});
    this.plots = new PanelList(group, this.store, this.pointer);
    this.stages = new StageGroup(() => stageHeatmaps().map((spec) => under(letter, spec)), {page: store, column: this.store, group, pointer: this.pointer});
    this.element = el('article', {class: 'column', 'aria-label': `Column ${letter}`, 'data-column': letter}, this.head.element, this.plots.element);
  }

  /**
   * Brings the words to the present.
   *
   * @param {Shown} shown
   * @param {State} state Of the page.
   */
  tell(shown, state) {
    this.head.update(shown, state);
    this.plots.tell();
    this.stages.plots.tell();
  }

  /**
   * @param {Shown} shown
   * @param {Model|null} model
   * @param {State} state Of the page.
   */
  update(shown, model, state) {
    const {element} = this.plots;
    setBusy(element, shown.state.trace.status === 'pending');
    setHidden(element, !model);
    if (!model) return;
    const {header} = model.data;
    const heads = signatureOf(header);
    if (heads !== this.#heads) {
      this.#heads = heads;
      this.plots.show(columnPlots(this.letter, header), this.stages.element);
    }
    this.plots.update(model);
    this.stages.update(model, state);
    this.pointer.update(shown.state);
  }

  dispose() {
    this.stages.drop();
    this.plots.drop();
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
    set({step, sought, head, ...patch}) {
      const {offset, state} = shown();
      const named = head === undefined ? -1 : headNamedAs(state.trace.data, store.get().trace.data, head);
      const time = patch.zoom?.time;
      store.set({
        ...patch,
        ...(named >= 0 ? {head: named} : {}),
        ...(step === undefined ? {} : moveTo(store.get(), (sought ?? step) - offset)),
        ...(patch.zoom ? {zoom: {...patch.zoom, time: time ? [time[0] - offset, time[1] - offset] : patch.zoom.time}} : {}),
      });
    },
    subscribe: store.subscribe,
  };
}
