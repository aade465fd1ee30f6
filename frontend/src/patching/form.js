// What a person asks of a map: the corrupted run, what is taken from the clean one, and at which steps.

/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {PatchView} from './asked.js' */
import {quantityWords} from '../change_words.js';
import {LETTERS} from '../compare/columns.js';
import {el, replaceChildren} from '../shell/dom.js';
import {isIdle, setHidden, setIdle} from '../views/dom.js';
import {PATCHED} from './asked.js';

/**
 * @param {Store} store
 * @param {...HTMLElement} after What stands behind the fields.
 * @returns {{element: HTMLElement, start: HTMLElement, update: (state: State, busy: boolean) => void}}
 */
export function patchForm(store, ...after) {
  const corrupted = el('select', {class: 'select', id: 'patch-corrupted'});
  const seed = el('input', {class: 'number patching-seed', type: 'number', min: 0, max: 2 ** 32 - 1, step: 1, required: true, 'aria-label': 'Seed of the corrupted episode'});
  const quantity = el('select', {class: 'select', id: 'patch-quantity'}, el('option', {value: 'all'}, 'all that heads have'),
    ...PATCHED.map((name) => el('option', {value: name}, quantityWords(name))));
  const [from, to] = ['First step', 'Last step'].map((label, at) => (
    el('input', {class: 'number patching-step', type: 'number', min: 1, step: 1, 'aria-label': label, placeholder: at === 0 ? 'first' : 'last'})));
  const start = el('button', {type: 'submit', class: 'button', id: 'patch'}, 'Patch');
  const element = el('form', {class: 'metrics-form'},
    el('label', {class: 'field'}, el('span', {class: 'field-label'}, 'A is clean; corrupted is'), corrupted), seed,
    el('label', {class: 'field'}, el('span', {class: 'field-label'}, 'Take'), quantity),
    el('span', {class: 'field'}, el('span', {class: 'field-label'}, 'at t ='), from, '…', to), start, ...after);
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!isIdle(start)) store.set({patching: read()});
  });
  corrupted.addEventListener('change', () => setHidden(seed, corrupted.value !== 'seed'));
  let listed = '';
  /** @type {PatchView|null} */
  let shown = null;

  /** @returns {PatchView} */
  function read() {
    const last = store.get().trace.data?.header.steps ?? 1;
    const steps = from.value || to.value ? /** @type {[number, number]} */ ([Number(from.value || 1) - 1, Number(to.value || last)]) : null;
    return {corrupted: /** @type {PatchView['corrupted']} */ (corrupted.value), seed: corrupted.value === 'seed' ? Number(seed.value) : 0, quantity: quantity.value, steps};
  }

  /** @param {PatchView} view */
  function show(view) {
    corrupted.value = view.corrupted;
    if (view.corrupted === 'seed') seed.value = String(view.seed);
    quantity.value = view.quantity;
    [from.value, to.value] = view.steps ? [String(view.steps[0] + 1), String(view.steps[1])] : ['', ''];
  }

  /**
   * @param {State} state
   * @param {boolean} busy
   */
  function update({columns, request, patching, trace}, busy) {
    const letters = LETTERS.slice(1, 1 + columns.length).join('');
    if (letters !== listed || corrupted.options.length === 0) {
      const before = corrupted.value;
      replaceChildren(corrupted, ...[...letters].map((letter) => el('option', {value: letter}, `column ${letter}`)), el('option', {value: 'seed'}, 'another seed'));
      corrupted.value = before || (letters === '' ? 'seed' : 'B');
      if (corrupted.selectedIndex < 0) corrupted.value = 'seed';
      listed = letters;
    }
    if (seed.value === '' && request) seed.value = String(request.seed + 1);
    if (patching && patching !== shown) show(patching);
    shown = patching;
    setHidden(seed, corrupted.value !== 'seed');
    const steps = String(trace.data?.header.steps ?? 1);
    for (const field of [from, to]) if (field.max !== steps) field.max = steps;
    setIdle(start, busy || trace.status !== 'ready');
  }
  return {element, start, update};
}
