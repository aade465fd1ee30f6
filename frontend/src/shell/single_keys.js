// Whether keys of one letter, digit or sign act: whoever speaks to the computer, or often hits a wrong key, can let them rest.

const KEY = 'ntm-scope-single-keys';

let act = remembered();

/** @returns {boolean} What was chosen at the last visit. */
function remembered() {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

/** @returns {boolean} */
export function singleKeysAct() {
  return act;
}

/** @param {boolean} chosen */
export function chooseSingleKeys(chosen) {
  act = chosen;
  try {
    localStorage.setItem(KEY, chosen ? 'on' : 'off');
  } catch {
    // Private windows may refuse storage; the choice then lasts as long as the page.
  }
}
