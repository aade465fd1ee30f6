// What stands above all columns: how they are laid beside each other, and one more.

/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
import {el, icon} from '../shell/dom.js';
import {choice} from '../views/controls.js';
import {nextFrame, setHidden, setText} from '../views/dom.js';
import {alignGroup} from './align_group.js';
import {addColumn, LETTERS, MOST_COLUMNS} from './columns.js';

/**
 * @param {Store} store
 * @returns {{element: HTMLElement, update: (state: State) => void}}
 */
export function compareHead(store) {
  const note = el('span', {class: 'compare-note'});
  const add = el('button', {type: 'button', class: 'button', id: 'add-column', onclick: () => addAndFocus(store)}, icon('plus'), 'Add column');
  const align = alignGroup(store);
  const scales = choice('Scales', [['shared', 'shared'], ['own', 'separate']], store, ({compare}) => compare.scales,
    (value, {compare}) => ({compare: {...compare, scales: value}}));
  scales.element.title = 'Shared: memories have one colour scale in all columns, and so have adds, and reads';
  return {
    element: el('div', {class: 'section-head compare-head'}, el('h2', {id: 'compare-title'}, 'Compare'), note, align.element, scales.element, add),
    update(state) {
      const none = state.columns.length === 0;
      setText(note, none
        ? 'Puts another model, or this one in another addressing mode, beside the trace above: same episode, one cursor.'
        : 'Same episode, one cursor, one zoom. Column A is the trace above.');
      for (const {element} of [align, scales]) setHidden(element, none);
      for (const {update} of [align, scales]) update(state);
      const full = !state.request || state.columns.length >= MOST_COLUMNS;
      if (add.disabled !== full) add.disabled = full;
    },
  };
}

/**
 * Adds a column, and hands the focus to its model once that is there: a view that is not known to be in sight makes it later.
 *
 * @param {Store} store
 */
async function addAndFocus(store) {
  const before = store.get().columns.length;
  store.set(addColumn(store.get()));
  if (store.get().columns.length === before) return;
  const letter = LETTERS[before + 1];
  const model = () => /** @type {HTMLElement|null} */ (document.querySelector(`[data-column="${letter}"] select`));
  const from = document.activeElement;
  while (!model() && store.get().columns.length > before) await nextFrame();
  if ([from, document.body].includes(document.activeElement)) model()?.focus();
}
