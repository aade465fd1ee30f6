// What is changed in the run on screen, and what could not be changed.

/** @import {Actions} from '../actions.js' */
/** @import {Mode, State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Child} from './dom.js' */
import {isRecording} from '../api.js';
import {changeWords, isConstraint, modeOf, refusalOf, shownChanges, violationWords} from '../change_words.js';
import {keepFocus} from '../focus.js';
import {UNCHANGED} from '../interventions.js';
import {el, iconButton, keyedChildren} from './dom.js';

/** @typedef {{words: string, mode: Mode|undefined, violation: string, own: boolean}} Changed What is changed, in words; `own`: a person can take it back. */

/** A symbol of an equation, with what stands above and below it: w^c_t, M_{t-1}, M_0. */
const SYMBOL = /([A-Za-zβγ](?:\^\w)?_(?:\{[^}]+\}|\w))/;

/**
 * @param {HTMLElement} root
 * @param {{store: Store, actions: Actions, signal: AbortSignal}} parts
 */
export function mountChangeLine(root, {store, actions, signal}) {
  const show = keyedChildren(root);

  /** @param {State} state */
  function render(state) {
    const line = changed(state);
    const {refused: told} = state.trace;
    const undone = root.querySelector('.change-undo') === document.activeElement;
    /** @type {[unknown, () => HTMLElement][]} */
    const lines = [];
    if (line) lines.push([JSON.stringify(line), () => changedLine(line, actions)]);
    if (told) lines.push([told, () => refusedLine(state, told, actions)]);
    keepFocus(root, () => show(lines), () => (undone ? [root.querySelector('.change-undo'), document.querySelector('#mode')] : []));
  }
  /** @type {(keyof State)[]} */
  const shown = ['request', 'modes', 'tree'];
  store.subscribe((state, previous) => {
    const {data, end, refused: told} = state.trace;
    const {trace} = previous;
    if (shown.some((key) => state[key] !== previous[key]) || data !== trace.data || end !== trace.end || told !== trace.refused) render(state);
  }, signal);
  render(store.get());
}

/**
 * @param {State} state
 * @returns {Changed|null} Null if nothing is changed.
 */
function changed(state) {
  const words = changeWords(state);
  if (!words) return null;
  const violation = state.trace.end?.violation;
  return {
    words,
    mode: modeOf(state, shownChanges(state).mode),
    violation: violation ? violationWords(violation) : '',
    own: state.request !== null && !isRecording(state.request.checkpoint),
  };
}

/**
 * @param {Changed} changed
 * @param {Actions} actions
 */
function changedLine({words, mode, violation, own}, actions) {
  return el('div', {class: 'change'},
    el('strong', {}, `Changed run: ${words}`),
    mode?.equation && el('span', {class: 'change-mode', title: mode.definition}, ...equation(mode.equation)),
    violation !== '' && el('span', {class: 'violation'}, violation),
    own && el('button', {type: 'button', class: 'button change-button change-undo', onclick: () => actions.intervene(UNCHANGED)}, 'Back to full'));
}

/**
 * @param {State} state
 * @param {NonNullable<State['trace']['refused']>} told
 * @param {Actions} actions
 */
function refusedLine(state, {request, error}, actions) {
  return el('div', {class: 'change change-refused', role: 'alert'},
    el('span', {}, el('strong', {}, 'Not changed: '), refusalOf(state, request, error.message)),
    isConstraint(error.message) && el('button', {type: 'button', class: 'button change-button', title: 'Leaves the constraint, and marks the run', onclick: actions.interveneAnyway}, 'Change it anyway'),
    iconButton('close', 'Dismiss', actions.dismissRefusal, 'button-quiet change-button'));
}

/**
 * @param {string} text An equation as the server writes it.
 * @returns {Child[]} As the paper sets it.
 */
export function equation(text) {
  return text.split(SYMBOL).map((piece, at) => {
    if (at % 2 === 0) return piece;
    const [symbol, below] = piece.split('_');
    const [letter, above] = symbol.split('^');
    return el('span', {class: 'math'}, el('i', {}, letter), above ? el('sup', {}, above) : null,
      el('sub', {}, below.replace(/[{}]/g, '').replace('-', '−')));
  });
}
