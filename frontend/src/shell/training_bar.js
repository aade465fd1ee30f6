// The training of the machine on screen: how far its run is, what to do with it, and the slider that scrubs through it.

/** @import {Actions} from '../actions.js' */
/** @import {Marks, RunInfo, State, Summary} from '../state.js' */
/** @import {Store} from '../store.js' */
import {keepFocus} from '../focus.js';
import {checkpointOf, momentOf} from '../runs.js';
import {setText} from '../views/dom.js';
import {EAGER} from './core_note.js';
import {el, replaceChildren} from './dom.js';
import {createRunButtons} from './run_buttons.js';
import {createSpeed} from './run_speed.js';
import {standing} from './run_words.js';
import {whole} from './whole.js';

/** What is marked on the slider, as the server measures it; README says by which rules. */
const MARKS = /** @type {const} */ ([['diagonal', 'diagonal'], ['content_jump', 'content jump'], ['converged', 'converged']]);

/**
 * @typedef {object} History What can be scrubbed through.
 * @property {string} id
 * @property {number[]} series The iterations of which there is a checkpoint.
 * @property {string} newest What comes after those.
 * @property {Partial<Marks>} marks
 */

/**
 * @param {HTMLElement} root
 * @param {{store: Store, actions: Actions, signal: AbortSignal}} parts
 */
export function mountTrainingBar(root, {store, actions, signal}) {
  const speed = createSpeed();
  const line = createLine();
  const buttons = createRunButtons({actions, word: 'Watch', show: actions.chooseCheckpoint, keeps: true});
  const slider = el('input', {type: 'range', class: 'training-slider', id: 'training', min: 0, max: 0, step: 1, value: 0, 'aria-label': 'Training iteration'});
  const marks = el('div', {class: 'training-marks', 'aria-hidden': 'true'});
  const place = el('span', {class: 'training-place'});
  const legend = el('div', {class: 'training-legend'});
  const scrubber = el('div', {class: 'training-scrubber'}, el('span', {class: 'training-label'}, 'Training'), el('div', {class: 'training-track'}, marks, slider), place, legend);
  root.append(line.root, buttons.root, scrubber);
  /** @type {(number|null)[]} What each position of the slider shows; null is the newest machine. */
  let positions = [];

  slider.addEventListener('input', () => {
    const {request} = store.get();
    if (!request) return;
    const {id} = momentOf(request.checkpoint);
    const iteration = positions[slider.valueAsNumber] ?? null;
    actions.chooseMoment(iteration === null ? id : `${id}.${iteration}`);
  });

  /** @param {State} state */
  function render({runs, request, checkpoints}) {
    const shown = momentOf(request?.checkpoint ?? '');
    const run = runs?.find(({id}) => id === shown.id) ?? runs?.find(({status}) => status === 'running');
    const watched = run?.id === shown.id;
    const history = watched ? historyOfRun(run) : historyOf(checkpointOf(checkpoints, shown.id));
    root.hidden = !run && !history;
    scrubber.hidden = !history;
    if (history) drawSlider(history, shown.iteration);
    for (const part of [line, buttons]) part.root.hidden = !run;
    if (!run) return;
    line.update(run, speed(run), history === null);
    buttons.update(run, {watched, iteration: shown.iteration});
  }

  /**
   * @param {History} history
   * @param {number|null} iteration
   */
  function drawSlider({series, newest, marks: seen}, iteration) {
    positions = [...series, null];
    const last = positions.length - 1;
    slider.max = String(last);
    const at = iteration === null ? last : positions.indexOf(iteration);
    if (at >= 0) slider.value = String(at);
    const text = iteration === null ? newest : `iteration ${whole(iteration)}`;
    setText(place, text);
    if (slider.getAttribute('aria-valuetext') !== text) slider.setAttribute('aria-valuetext', text);
    replaceChildren(marks, ...MARKS.map(([name]) => {
      const first = seen[name] ?? null;
      if (first === null) return null;
      const mark = positions.findIndex((one) => one === null || one >= first);
      return el('i', {class: `mark-${name}`, style: `left:${(100 * mark) / Math.max(1, last)}%`});
    }));
    replaceChildren(legend, ...marksWords(seen).map(([name, text]) => el('span', {}, el('i', {class: `mark-${name}`, 'aria-hidden': 'true'}), text)));
  }

  store.subscribe((state, previous) => {
    if (state.runs !== previous.runs || state.request !== previous.request || state.checkpoints !== previous.checkpoints) keepFocus(root, () => render(state), () => [slider]);
  }, signal);
  render(store.get());
}

/**
 * @param {Pick<RunInfo, 'id'|'status'|'series'|'progress'>} run
 * @returns {History|null} Null before its first checkpoint.
 */
export function historyOfRun({id, status, series, progress}) {
  const last = series.at(-1);
  if (last === undefined) return null;
  // A run that has ended is as it was at its last iteration, and one that was never watched as at the last of its series.
  const newest = status === 'finished' ? `iteration ${whole(progress?.iteration ?? last)}` : `now: iteration ${whole(progress?.live ?? last)}`;
  return {id, series, newest, marks: progress?.marks ?? {}};
}

/**
 * @param {Summary|undefined} checkpoint
 * @returns {History|null} Null if there is nothing of it but its end.
 */
export function historyOf(checkpoint) {
  if (!checkpoint || checkpoint.series.length === 0) return null;
  const {id, series, training} = checkpoint;
  return {id, series, newest: `iteration ${whole(training?.iterations ?? 0)}`, marks: training?.marks ?? {converged: training?.converged_at ?? null}};
}

/**
 * @param {Partial<Marks>} marks
 * @returns {(readonly [keyof Marks, string])[]} What there is of them, in words.
 */
function marksWords(marks) {
  return MARKS.flatMap(([name, title]) => (marks[name] ?? null) === null ? [] : [/** @type {const} */ ([name, `${title} from ${whole(Number(marks[name]))}`])]);
}

/**
 * How a run stands. What changes with each event is apart from what a screen reader is to tell when it changes.
 *
 * @returns {{root: HTMLElement, update: (run: RunInfo, perSecond: number|null, alone: boolean) => void}} `alone` says that
 *   there is no slider, which tells the marks.
 */
function createLine() {
  const [state, title, message] = [el('span', {}), el('strong', {}), el('span', {})];
  const numbers = el('span', {class: 'training-numbers'});
  const eager = el('span', {class: 'result-eager'}, EAGER);
  const progressed = el('progress', {'aria-label': 'Progress of the training'});
  return {
    root: el('div', {class: 'training-line'},
      el('span', {class: 'training-said', role: 'status', 'aria-label': 'Training'}, state, title, message), numbers, eager, progressed),
    update(run, perSecond, alone) {
      const {status, name, progress, core, why_eager: why} = run;
      state.className = `run-status run-${status}`;
      tell(state, standing(run));
      tell(title, name);
      message.className = status === 'failed' ? 'text-error' : 'text-muted';
      tell(message, run.message ?? '');
      tell(numbers, progress ? numbersOf(run, perSecond, alone).join(' · ') : '');
      eager.hidden = core !== 'eager';
      eager.title = why ?? '';
      progressed.hidden = progress === null;
      [progressed.max, progressed.value] = [progress?.last_iteration ?? 1, progress?.iteration ?? 0];
    },
  };
}

/**
 * @param {HTMLElement} node
 * @param {string} text
 */
function tell(node, text) {
  if (node.textContent !== text) node.textContent = text;
  node.hidden = text === '';
}

/**
 * @param {RunInfo} run One that has begun.
 * @param {number|null} perSecond Iterations.
 * @param {boolean} alone
 * @returns {string[]}
 */
function numbersOf({status, progress}, perSecond, alone) {
  if (!progress) return [];
  const {iteration, last_iteration: last, loss_bits: loss, row, marks} = progress;
  const pace = status === 'running' && perSecond ? [`${short(perSecond)} iterations/s`, `${duration((last - iteration) / perSecond)} left`] : [];
  return [
    `${whole(iteration)} of ${whole(last)} iterations`,
    ...(loss === null ? [] : [`loss ${short(loss)} bits`]),
    ...(row ? [`wrong ${short(row.wrong_bits)} bits`] : []),
    ...pace,
    ...(alone ? marksWords(marks).map(([, text]) => text) : []),
  ];
}

/** @param {number} value */
function short(value) {
  return value === 0 ? '0' : String(Number(value.toPrecision(3)));
}

/** @param {number} seconds */
function duration(seconds) {
  if (!(seconds >= 0 && seconds < 360_000)) return 'long';
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
