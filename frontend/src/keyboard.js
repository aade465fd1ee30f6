// The keys of the page. None acts while a person types in a field, or while a dialog is open.

/** @import {State} from './state.js' */
/** @import {Store} from './store.js' */
import {moveTo, nextHead, setLoopEnd, toggleDiff, togglePin, togglePlay, lastStep} from './cursor.js';
import {canHave} from './focus.js';
import {NO_ZOOM, SPEEDS} from './state.js';

/** What the help panel says, in its order: keys and what they do. */
export const KEYS = Object.freeze([
  {keys: ['←', '→'], does: 'one step back or forward'},
  {keys: ['Shift', '← →'], does: 'ten steps'},
  {keys: ['Home', 'End'], does: 'first and last step'},
  {keys: ['Space'], does: 'play or pause'},
  {keys: ['[', ']'], does: 'start and end of the loop region at the cursor'},
  {keys: ['Esc'], does: 'clear the loop region; once more: show all of the plots again'},
  {keys: ['1', '…', '9'], does: `speed, from ×${SPEEDS[0]} to ×${SPEEDS[SPEEDS.length - 1]}`},
  {keys: ['P'], does: 'pin this step, or let go of it'},
  {keys: ['D'], does: 'difference to the pinned step'},
  {keys: ['H'], does: 'next head'},
  {keys: ['F'], does: 'fork: a branch of this run from this step on'},
  {keys: ['Tab'], does: 'to a plot: its arrow keys read it cell by cell, + and − zoom'},
  {keys: ['?'], does: 'this help'},
]);

/** @typedef {{key: string, shiftKey: boolean}} Press */

/**
 * @param {Press} press
 * @param {State} state
 * @returns {Partial<State>|'help'|'fork'|null} A patch, a request for help or for a branch, or null if the key means nothing
 *   here.
 */
export function actionOf({key, shiftKey}, state) {
  const stride = shiftKey ? 10 : 1;
  switch (key) {
    case 'ArrowLeft': return moveTo(state, (state.sought ?? state.step) - stride);
    case 'ArrowRight': return moveTo(state, (state.sought ?? state.step) + stride);
    case 'Home': return moveTo(state, 0);
    case 'End': return moveTo(state, lastStep(state));
    case ' ': return togglePlay(state);
    case '[': return setLoopEnd(state, 'start');
    case ']': return setLoopEnd(state, 'end');
    case 'Escape': return state.loop ? {loop: null} : {zoom: NO_ZOOM};
    case '?': return 'help';
  }
  switch (key.toLowerCase()) {
    case 'p': return togglePin(state);
    case 'd': return toggleDiff(state);
    case 'h': return nextHead(state);
    case 'f': return 'fork';
  }
  return /^[1-9]$/.test(key) ? {speed: SPEEDS[Number(key) - 1]} : null;
}

/**
 * @param {Element|null} target Where the key was pressed.
 * @param {string} key
 * @returns {boolean} Whether the element itself needs this key.
 */
function keepsKey(target, key) {
  if (!target) return false;
  if (target.closest('input:not(#step, [type=checkbox]), textarea, select, [contenteditable], dialog, [role=grid]')) return true;
  const pressable = target.closest('button, a[href], summary, input[type=checkbox], [role=menuitem]');
  return pressable !== null && (key === ' ' || key === 'Enter');
}

/**
 * Hands the keys back to the page: a number field after Enter, to the timeline, where all keys are the page's; a list after
 * a choice by pointer; not those of a form, which Enter sends.
 *
 * @param {AbortSignal} signal
 */
function releaseFocus(signal) {
  document.addEventListener('keydown', ({key, target}) => {
    const field = target instanceof HTMLInputElement && target.type === 'number' && !target.form && target === document.activeElement;
    if (key !== 'Enter' || !field) return;
    const timeline = document.querySelector('#step');
    if (canHave(timeline)) timeline.focus();
    else target.blur();
  }, {signal});
  document.addEventListener('change', ({target}) => {
    if (target instanceof HTMLSelectElement && !target.form && !target.matches(':focus-visible')) target.blur();
  }, {signal});
}

/**
 * @param {object} parts
 * @param {Store} parts.store
 * @param {() => void} parts.showHelp
 * @param {() => void} parts.fork
 * @param {() => boolean} parts.singleKeysAct Whether keys of one letter, digit or sign do.
 * @param {AbortSignal} parts.signal
 */
export function bindKeyboard({store, showHelp, fork, singleKeysAct, signal}) {
  releaseFocus(signal);
  document.addEventListener('keydown', (event) => {
    const typesWithAltGraph = event.getModifierState('AltGraph');
    if (event.defaultPrevented || event.metaKey || ((event.ctrlKey || event.altKey) && !typesWithAltGraph)) return;
    const target = event.target instanceof Element ? event.target : null;
    if (event.key.length === 1 && event.key !== ' ' && !singleKeysAct()) return;
    if (keepsKey(target, event.key) || document.querySelector('dialog:modal')) return;
    const action = actionOf(event, store.get());
    if (action === null) return;
    event.preventDefault();
    if (action === 'help') showHelp();
    else if (action !== 'fork') store.set(action);
    else if (!event.repeat) fork();
  }, {signal});
}
