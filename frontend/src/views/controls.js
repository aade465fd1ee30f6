/** @import {Store} from '../store.js' */
/** @import {State} from '../state.js' */
import {element, setPressed} from './dom.js';

/**
 * A choice of a few, as buttons side by side.
 *
 * @template {string} T
 * @param {string} label
 * @param {[T, string][]} options Value and text.
 * @param {Store} store
 * @param {(state: State) => T} read
 * @param {(value: T, state: State) => Partial<State>} patch
 * @returns {{element: HTMLElement, update: (state: State) => void}}
 */
export function choice(label, options, store, read, patch) {
  const buttons = options.map(([value, text]) => {
    const button = element('button', {type: 'button'}, text);
    button.addEventListener('click', () => store.set(patch(value, store.get())));
    return {value, button};
  });
  const group = element('div', {class: 'choice', role: 'group', 'aria-label': label},
    element('span', {class: 'choice-label', 'aria-hidden': 'true'}, label), ...buttons.map(({button}) => button));
  return {
    element: group,
    update(state) {
      for (const {value, button} of buttons) setPressed(button, value === read(state));
    },
  };
}
