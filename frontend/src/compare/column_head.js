// What stands above a column: its letter, its model and mode, and how it did.

/** @import {Actions} from '../actions.js' */
/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Shown} from './align.js' */
/** @import {Column} from './columns.js' */
/** @import {Parting} from './first_divergence.js' */
import {branchOf} from '../branches/tree.js';
import {modeOf, refusalOf, violationWords} from '../change_words.js';
import {el, iconButton, replaceChildren} from '../shell/dom.js';
import {fillModels} from '../shell/model_group.js';
import {askedBits, bitsText, unjudged} from '../shell/status.js';
import {moveTo} from '../cursor.js';
import {checkpointOf, modelName} from '../runs.js';
import {isIdle, setHidden, setIdle, setText} from '../views/dom.js';
import {changeColumn, chosenRun, removeColumn, retryColumn} from './columns.js';
import {divergenceText} from './first_divergence.js';

/** What the mark of a run that leaves a constraint means. */
export const LEFT = 'This run leaves a constraint of the machine: no machine would compute these numbers';

/**
 * @typedef {object} ColumnHead
 * @property {HTMLElement} element
 * @property {(shown: Shown, state: State) => void} update
 * @property {(parting: Parting|null, offset: number) => void} part Where the column, later by an offset, first parts from A;
 *   null where that is not known.
 */

/**
 * @param {string} letter
 * @param {Column|null} column Null for the main trace, which the toolbar changes.
 * @param {{store: Store, actions: Actions}} parts
 * @returns {ColumnHead}
 */
export function columnHead(letter, column, {store, actions}) {
  const choices = column ? columnChoices(letter, column.id, store) : mainName();
  const main = el('button', {type: 'button', class: 'button', 'data-part': 'main', hidden: column === null, 'aria-label': `Make main: column ${letter}`,
    title: 'Changes places with A, where it can be edited by hand', onclick: () => column && !isIdle(main) && actions.makeMain(column.id)}, 'Make main');
  const result = el('span', {class: 'column-result'});
  const moment = el('span', {class: 'column-moment'});
  const violation = el('span', {class: 'violation'});
  const left = el('p', {class: 'column-line', hidden: true, title: LEFT}, violation);
  const retry = el('button', {type: 'button', class: 'button', hidden: true, onclick: () => column && store.set(retryColumn(store.get(), column.id))}, 'Try again');
  const parting = el('span', {class: 'column-parting'});
  let step = 0;
  const jump = el('button', {type: 'button', class: 'button', hidden: true, onclick: () => store.set(moveTo(store.get(), step))}, 'Go there');
  return {
    element: el('header', {class: 'column-head'},
      el('div', {class: 'column-choice'}, el('h3', {class: 'column-letter'}, el('span', {class: 'visually-hidden'}, 'Column '), letter), choices.element),
      el('p', {class: 'column-line'}, result, moment, retry),
      left,
      el('p', {class: 'column-line'}, parting, jump, main)),
    update(shown, state) {
      choices.update(state);
      const {text, tone, violation: broken} = resultOf(shown.state.trace, state, shown.column ? chosenRun(state, shown.column.choice) : state.request);
      setText(result, text);
      if (result.dataset.tone !== tone) result.dataset.tone = tone;
      setHidden(left, !broken);
      setText(violation, broken);
      setText(moment, [momentOf(shown, state), shown.lack].filter(Boolean).join(' · '));
      setHidden(retry, column === null || shown.state.trace.status !== 'failed');
      setIdle(main, shown.state.trace.status !== 'ready');
    },
    part(found, offset) {
      setText(parting, found ? divergenceText(found, offset) : '');
      setHidden(jump, !found?.first);
      step = found?.first?.step ?? 0;
    },
  };
}

/**
 * @param {Shown} shown
 * @param {State} state Of the page.
 */
function momentOf({offset, state: {trace: {data, received}, step}}, {step: main}) {
  if (!data || received === 0) return '';
  if (main + offset < 0) return `begins at t = ${1 - offset} of A`;
  return data.holds(step) ? `t = ${step + 1} of ${data.header.steps}` : `ended at t = ${received}`;
}

/**
 * @param {State['trace']} trace
 * @param {Pick<State, 'modes'>} state
 * @param {{mode: string}|null} run What was asked for.
 * @returns {{text: string, tone: 'ok'|'error'|'plain', violation: string}} How it did, and the first constraint that its
 *   changes left; empty where they left none.
 */
export function resultOf(trace, state, run) {
  return {...outcomeOf(trace, state, run), violation: trace.end?.violation ? violationWords(trace.end.violation) : ''};
}

/**
 * @param {State['trace']} trace
 * @param {Pick<State, 'modes'>} state
 * @param {{mode: string}|null} run
 * @returns {{text: string, tone: 'ok'|'error'|'plain'}}
 */
function outcomeOf({status, data, received, error, end}, state, run) {
  if (status === 'failed') return {text: refusalOf(state, run, error?.message ?? 'It failed.'), tone: 'error'};
  if (status === 'streaming' && data) return {text: `recording, ${received} of ${data.header.steps} steps`, tone: 'plain'};
  if (!end || !data) return {text: 'asking the server…', tone: 'plain'};
  if (end.wrong_bits === null) return {text: unjudged(data), tone: 'plain'};
  const loss = end.loss_bits === null ? '' : ` · loss ${bitsText(end.loss_bits)} bits`;
  return {text: `${end.wrong_bits} / ${askedBits(data)} wrong bits${loss}`, tone: end.wrong_bits === 0 ? 'ok' : 'error'};
}

/** @returns {{element: HTMLElement, update: (state: State) => void}} */
function mainName() {
  const name = el('strong', {});
  const mode = el('span', {class: 'text-muted'});
  return {
    element: el('div', {class: 'column-name'}, name, mode),
    update(state) {
      const {request} = state;
      if (!request) return;
      const branch = branchOf(state.tree, state.tree.shown);
      setText(name, branch?.name ?? modelName(state.checkpoints, request.checkpoint));
      setText(mode, `${branch ? 'branch, ' : ''}${modeTitle(state, request.mode)}${editsText(request.interventions.length)} · the run above`);
    },
  };
}

/**
 * @param {State} state
 * @param {string} mode
 * @returns {string}
 */
function modeTitle({modes}, mode) {
  return modeOf({modes}, mode)?.title || mode;
}

/** @param {number} count */
function editsText(count) {
  return count === 0 ? '' : `, ${count === 1 ? '1 edit' : `${count} edits`}`;
}

/**
 * @param {string} letter
 * @param {number} id
 * @param {Store} store
 * @returns {{element: HTMLElement, update: (state: State) => void}}
 */
function columnChoices(letter, id, store) {
  const model = el('select', {class: 'select', 'aria-label': `Model of column ${letter}`});
  const mode = el('select', {class: 'select', 'aria-label': `Addressing mode of column ${letter}`});
  const edits = el('span', {class: 'chip-warn', hidden: true});
  model.addEventListener('change', () => {
    const branch = BRANCH_VALUE.exec(model.value)?.[1];
    store.set(changeColumn(store.get(), id, branch ? {branch: Number(branch)} : {checkpoint: model.value}));
  });
  mode.addEventListener('change', () => store.set(changeColumn(store.get(), id, {mode: mode.value})));
  const remove = iconButton('close', `Remove column ${letter}`, () => store.set(removeColumn(store.get(), id)), 'button-quiet');
  remove.dataset.part = 'remove';
  /** @type {unknown[]} */
  let shown = [];

  /** @param {State} state */
  function update(state) {
    const choice = state.columns.find((column) => column.id === id)?.choice;
    const now = [state.checkpoints, state.modes, state.tree, choice];
    if (!choice || now.every((part, at) => part === shown[at])) return;
    shown = now;
    fillModels(model, state.checkpoints, 'branch' in choice ? null : choice.checkpoint);
    model.append(...branchOptions(state));
    replaceChildren(mode, ...state.modes.map(({name, title, definition}) => (
      el('option', {value: name, title: definition}, title))));
    const run = chosenRun(state, choice);
    const found = checkpointOf(state.checkpoints, run?.checkpoint);
    model.value = 'branch' in choice ? `branch:${choice.branch}` : choice.checkpoint;
    mode.value = run?.mode ?? 'full';
    mode.disabled = found?.source === 'recorded' || 'branch' in choice;
    const count = run?.interventions.length ?? 0;
    setHidden(edits, count === 0);
    setText(edits, editsText(count).slice(2));
  }
  return {element: el('div', {class: 'column-fields'}, model, mode, edits, remove), update};
}

/** The value of an option that is a branch. */
const BRANCH_VALUE = /^branch:(\d+)$/;

/** @param {State} state */
function branchOptions({tree: {branches}}) {
  if (branches.length === 0) return [];
  return [el('optgroup', {label: 'Branches'}, ...branches.map(({id, name}) => el('option', {value: `branch:${id}`}, name)))];
}
