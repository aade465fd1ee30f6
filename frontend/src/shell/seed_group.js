// Which episode of the task.

/** @import {Actions} from '../actions.js' */
/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
import {isRecording, RECORDED} from '../api.js';
import {el, iconButton} from './dom.js';

const MAX_SEED = 2 ** 32 - 1;
/** A random seed stays short enough to be read aloud. */
const RANDOM_BELOW = 10_000;

/** @param {{store: Store, actions: Actions}} parts */
export function seedGroup({store, actions}) {
  const input = el('input', {type: 'number', class: 'number', id: 'seed', min: 0, max: MAX_SEED, step: 1, required: true, value: 0});
  input.addEventListener('change', () => take(input, 'seed'));
  const start = el('input', {type: 'number', class: 'number', id: 'initial-seed', min: 0, max: MAX_SEED, step: 1, required: true, value: 0});
  start.addEventListener('change', () => take(start, 'initial_seed'));
  const startField = el('label', {class: 'field', title: 'This machine draws its state before step 1 at random, from this seed'},
    el('span', {class: 'field-label'}, 'start'), start);

  /**
   * @param {HTMLInputElement} field Empty, it has the seed of the run again.
   * @param {'seed'|'initial_seed'} name
   */
  function take(field, name) {
    if (field.value === '') field.value = String(store.get().request?.[name] ?? 0);
    else if (field.reportValidity()) actions.change({[name]: field.valueAsNumber});
  }

  /** @param {number} by */
  const shift = (by) => {
    const seed = (store.get().request?.seed ?? 0) + by;
    if (seed >= 0 && seed <= MAX_SEED) actions.change({seed});
  };
  const root = el('div', {class: 'group', role: 'group', 'aria-label': 'Seed'},
    el('label', {class: 'group-label', for: 'seed'}, 'Seed'),
    iconButton('minus', 'Seed before', () => shift(-1)),
    input,
    iconButton('plus', 'Next seed', () => shift(1)),
    iconButton('dice', 'Random seed', () => actions.change({seed: Math.floor(Math.random() * RANDOM_BELOW)})),
    startField);

  /** @param {State} state */
  function render({request, detail}) {
    if (document.activeElement !== input || !request) input.value = String(request?.seed ?? 0);
    if (document.activeElement !== start || !request) start.value = String(request?.initial_seed ?? 0);
    startField.hidden = detail?.status !== 'ready' || !detail.value.draws_fresh;
    const recorded = Boolean(request && isRecording(request.checkpoint));
    const typed = Boolean(request?.inputs);
    root.toggleAttribute('data-idle', typed);
    for (const control of root.querySelectorAll('button, input')) /** @type {HTMLInputElement} */ (control).disabled = !request || recorded;
    root.title = recorded ? RECORDED : typed ? 'The input was typed: the seed still decides a random initial state' : '';
  }
  return {root, render};
}
