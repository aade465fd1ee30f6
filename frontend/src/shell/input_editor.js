// Typing an episode's input by hand, in a sheet at the foot of the page, so that the machine is seen to answer.

/** @import {Actions} from '../actions.js' */
/** @import {Store} from '../store.js' */
/** @import {Place} from './cell_grid.js' */
/** @import {Rows} from './input_rows.js' */
import {refusalOf} from '../change_words.js';
import {CellGrid} from './cell_grid.js';
import {el, iconButton} from './dom.js';
import {blank, rowsAfterRefusal, rowsOnScreen, withoutStep, withStep, withSteps} from './input_rows.js';

/** More columns than this would be slow to draw, and no one would click them. */
const MAX_STEPS = 600;
/** ms without an edit after which the machine runs on the new input. */
const RUN_AFTER = 120;

/**
 * @param {HTMLElement} host
 * @param {{store: Store, actions: Actions, signal: AbortSignal}} parts
 * @returns {() => void} Opens the editor.
 */
export function mountInputEditor(host, {store, actions, signal}) {
  const grid = new CellGrid({onEdit: run, onKey: takeKey, signal});
  const note = el('p', {class: 'editor-note', role: 'status'});
  const dialog = el('dialog', {class: 'dialog editor', 'aria-label': 'Edit input'},
    el('div', {class: 'dialog-header'},
      el('h2', {}, 'Edit input'),
      el('p', {class: 'editor-hint'}, 'Click a cell, or move with the arrow keys and press Space. The machine runs after each change.'),
      iconButton('close', 'Close', () => dialog.close())),
    el('div', {class: 'cells-wrap'}, grid.table),
    el('div', {class: 'dialog-actions'},
      note,
      textButton('Add step', 'A blank step after the selected one (Insert)', addStep),
      textButton('Remove step', 'The selected step (Delete)', removeStep),
      textButton('Clear', 'All cells 0', () => edit(blank(grid.rows), grid.at)),
      textButton('Back to the episode', 'Drop the typed input and use the task and seed again', backToEpisode)));
  host.append(dialog);
  /** @type {string[]} */
  let channels = [];
  /** Of the run that is about to be asked for; 0: none is. */
  let timer = 0;

  function open() {
    const {trace: {data}, step} = store.get();
    const rows = rowsOnScreen(store.get());
    if (!data || !rows) return;
    if (rows.length > MAX_STEPS) {
      actions.notify('warn', `The input has ${rows.length} steps; the editor takes up to ${MAX_STEPS}. Choose a shorter episode.`);
      return;
    }
    channels = data.header.input_channels;
    dialog.show();
    document.documentElement.toggleAttribute('data-editing', true);
    grid.show(rows, channels, {step, channel: 0});
    showNote();
  }

  /**
   * @param {Rows} rows
   * @param {Place} at
   */
  function edit(rows, at) {
    grid.show(rows, channels, at);
    run();
  }

  function addStep() {
    const {rows, at} = grid;
    if (rows.length < MAX_STEPS) edit(withStep(rows, at.step), {...at, step: at.step + 1});
  }

  function removeStep() {
    edit(withoutStep(grid.rows, grid.at.step), grid.at);
  }

  /** @param {string} key */
  function takeKey(key) {
    if (key === 'Insert') addStep();
    else if (key === 'Delete') removeStep();
    else return false;
    return true;
  }

  function run() {
    stopWaiting();
    timer = window.setTimeout(() => {
      timer = 0;
      actions.change({inputs: grid.rows});
    }, RUN_AFTER);
  }

  function stopWaiting() {
    clearTimeout(timer);
    timer = 0;
  }

  function backToEpisode() {
    stopWaiting();
    dialog.close();
    if (store.get().request?.inputs) actions.change({inputs: null});
  }

  function showNote() {
    const {trace: {data, error, refused}, request, modes} = store.get();
    const failure = refused?.error ?? error;
    const said = failure ? refusalOf({modes}, refused?.request ?? request, failure.message) : request?.inputs ? data?.header.task_note : null;
    note.textContent = `${grid.rows.length} steps. ${withSteps(said ?? '')}`;
  }

  dialog.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.defaultPrevented) dialog.close();
  });
  dialog.addEventListener('close', () => document.documentElement.removeAttribute('data-editing'));
  store.subscribe((state, previous) => {
    if (!dialog.open || state.trace === previous.trace) return;
    if (state.request?.checkpoint !== previous.request?.checkpoint) return dialog.close();
    const rows = timer === 0 ? rowsAfterRefusal(state, previous, grid.rows) : null;
    if (rows) grid.show(rows, channels, grid.at);
    showNote();
  }, signal);
  return open;
}

/**
 * @param {string} text
 * @param {string} title
 * @param {() => void} onClick
 */
function textButton(text, title, onClick) {
  return el('button', {type: 'button', class: 'button', title, onclick: onClick}, text);
}
