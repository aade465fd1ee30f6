// Where the focus of the keyboard goes when what has it is taken away, hidden or disabled.

/** @typedef {Element|null|undefined} Place */

/** What is always in sight: the timeline, and the model where there is none. */
const ALWAYS = ['#step', '#model'];

/**
 * Changes a part of the page. If that takes the focus away, it goes on, and a key that is still held presses nothing there.
 * Who works with a pointer is brought to what is always in sight, where all keys are the page's as before.
 *
 * @param {Element} part
 * @param {() => void} change
 * @param {() => Place[]} [next] Asked after the change: the first that can have the focus gets it.
 */
export function keepFocus(part, change, next = () => []) {
  const had = document.activeElement;
  if (!had || !part.contains(had)) return change();
  const byKeys = had.matches(':focus-visible');
  change();
  const now = document.activeElement;
  if (now !== document.body && canHave(now)) return; // It kept it, or the change itself has found another place.
  const always = ALWAYS.map((one) => document.querySelector(one));
  const places = [had, ...(byKeys ? [...next(), ...always] : [...always, ...next()])];
  places.find((place) => {
    if (canHave(place)) place.focus();
    return document.activeElement === place;
  });
  ignoreHeldKey();
}

/**
 * @param {Element} list Whose items come and go.
 * @param {string} selector Of something in each item.
 * @returns {() => Place[]} Later: that of the item which then is where the focus is now, and of the one before it.
 */
export function besideIn(list, selector) {
  const at = [...list.children].findIndex((item) => item.contains(document.activeElement));
  return () => [list.children[at], list.children[at - 1]].map((item) => item?.querySelector(selector));
}

/**
 * @param {Place} place
 * @returns {place is HTMLElement}
 */
export function canHave(place) {
  return place instanceof HTMLElement && place.checkVisibility({visibilityProperty: true}) && !place.matches(':disabled');
}

/** Until the key that is down is let go, or another one is pressed. */
function ignoreHeldKey() {
  const over = new AbortController();
  const options = {capture: true, signal: over.signal};
  document.addEventListener('keydown', (event) => {
    if (!event.repeat) return over.abort();
    event.preventDefault();
    event.stopPropagation();
  }, options);
  document.addEventListener('keyup', () => over.abort(), options);
}
