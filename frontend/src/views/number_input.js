// A field in which a person types another number, in place of the one that is shown.

import {element} from './dom.js';

/**
 * Enter and leaving the field take the number, Escape and a number that is as before take nothing.
 *
 * @param {object} options
 * @param {HTMLElement} options.place What is hidden meanwhile.
 * @param {HTMLElement} options.back What gets the focus after Enter and Escape.
 * @param {string} options.digits The number as it is.
 * @param {Record<string, string>} options.attributes What names the field, and its hint.
 * @param {(value: number) => void} options.take
 */
export function typeNumber({place, back, digits, attributes, take}) {
  const input = element('input', {type: 'number', step: 'any', class: 'numbers-input', value: digits, ...attributes});
  let open = true;
  /** @param {boolean} taken */
  function close(taken) {
    if (!open) return;
    open = false;
    place.hidden = false;
    const value = input.valueAsNumber;
    input.remove();
    if (taken && Number.isFinite(value) && value !== Number(digits)) take(value);
  }
  input.addEventListener('keydown', (event) => {
    const {key} = event;
    if (key !== 'Enter' && key !== 'Escape') return;
    event.preventDefault(); // Else Enter would also press the button that gets the focus, and open the field again.
    close(key === 'Enter');
    back.focus();
  });
  input.addEventListener('blur', () => close(true));
  place.hidden = true;
  place.after(input);
  input.focus();
  input.select();
}
