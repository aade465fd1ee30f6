// The training of the machine on screen: how far its run is, what to do with it, and the slider that scrubs through it.

/** @import {Actions} from '../actions.js' */
/** @import {Marks, RunInfo, State, Summary} from '../state.js' */
/** @import {Store} from '../store.js' */
import {checkpointOf, isActive, momentOf} from '../runs.js';
import {EAGER} from './core_note.js';
import {confirmed, el, iconButton, replaceChildren} from './dom.js';
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

/** Milliseconds over which the speed is measured. */
const SPEED_MS = 4000;

/**
 * @param {HTMLElement} root
 * @param {{store: Store, actions: Actions, signal: AbortSignal}} parts
 */
export function mountTrainingBar(root, {store, actions, signal}) {
  const speed = createSpeed();
  const line = el('div', {class: 'training-line', role: 'status', 'aria-label': 'Training'});
  const buttons = el('div', {class: 'training-buttons'});
  const slider = el('input', {type: 'range', class: 'training-slider', id: 'training', min: 0, max: 0, step: 1, value: 0, 'aria-label': 'Training iteration'});
  const marks = el('div', {class: 'training-marks', 'aria-hidden': 'true'});
  const place = el('output', {class: 'training-place', for: 'training'});
  const legend = el('div', {class: 'training-legend'});
  const scrubber = el('div', {class: 'training-scrubber'}, el('span', {class: 'training-label'}, 'Training'), el('div', {class: 'training-track'}, marks, slider), place, legend);
  root.append(line, buttons, scrubber);
  /** @type {(number|null)[]} What each position of the slider shows; null is the newest machine. */
  let positions = [];
  let buttonsKey = '';

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
    for (const part of [line, buttons]) part.hidden = !run;
    if (!run) return;
    replaceChildren(line, ...words(run, speed(run), history === null));
    const key = `${run.id} ${run.status} ${run.checkpoint} ${watched} ${shown.iteration}`;
    if (key !== buttonsKey) {
      buttonsKey = key;
      replaceChildren(buttons, ...actionsOf(run, watched, shown.iteration, actions));
    }
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
    place.textContent = text;
    slider.setAttribute('aria-valuetext', text);
    replaceChildren(marks, ...MARKS.map(([name]) => {
      const first = seen[name] ?? null;
      if (first === null) return null;
      const mark = positions.findIndex((one) => one === null || one >= first);
      return el('i', {class: `mark-${name}`, style: `left:${(100 * mark) / Math.max(1, last)}%`});
    }));
    replaceChildren(legend, ...marksWords(seen).map(([name, text]) => el('span', {}, el('i', {class: `mark-${name}`, 'aria-hidden': 'true'}), text)));
  }

  store.subscribe((state, previous) => {
    if (state.runs !== previous.runs || state.request !== previous.request || state.checkpoints !== previous.checkpoints) render(state);
  }, signal);
  render(store.get());
}

/**
 * @param {RunInfo} run
 * @returns {History|null} Null before its first checkpoint.
 */
function historyOfRun({id, series, progress}) {
  if (series.length === 0) return null;
  return {id, series, newest: `now: iteration ${whole(progress?.live ?? progress?.iteration ?? 0)}`, marks: progress?.marks ?? {}};
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
 * @param {RunInfo} run
 * @param {number|null} perSecond Iterations.
 * @param {boolean} alone Whether there is no slider, which tells the marks.
 * @returns {(Node|false)[]}
 */
function words({name, status, message, place, progress, core, why_eager: why}, perSecond, alone) {
  const state = status === 'queued' ? `waits: ${place === 0 ? 'next' : `${place} before it`}` : status;
  const numbers = progress && [
    `${whole(progress.iteration)} of ${whole(progress.last_iteration)} iterations`,
    progress.loss_bits === null ? null : `loss ${short(progress.loss_bits)} bits`,
    progress.row ? `wrong ${short(progress.row.wrong_bits)} bits` : null,
    status === 'running' && perSecond ? `${short(perSecond)} iterations/s` : null,
    status === 'running' && perSecond ? `${duration((progress.last_iteration - progress.iteration) / perSecond)} left` : null,
    ...(alone ? marksWords(progress.marks).map(([, text]) => text) : []),
  ].filter(Boolean);
  return [
    el('span', {class: `run-status run-${status}`}, state),
    el('strong', {}, name),
    numbers !== null && el('span', {class: 'training-numbers'}, numbers.join(' · ')),
    core === 'eager' && el('span', {class: 'result-eager', title: why ?? null}, EAGER),
    message !== null && el('span', {class: status === 'failed' ? 'text-error' : 'text-muted'}, message),
    progress !== null && el('progress', {max: progress.last_iteration, value: progress.iteration, 'aria-label': 'Progress of the training'}),
  ];
}

/**
 * @param {RunInfo} run
 * @param {boolean} watched
 * @param {number|null} iteration
 * @param {Actions} actions
 * @returns {(Node|false)[]}
 */
function actionsOf(run, watched, iteration, actions) {
  const {id, name, status, checkpoint} = run;
  const button = (/** @type {string} */ label, /** @type {() => void} */ onclick) => el('button', {type: 'button', class: 'button', onclick}, label);
  return [
    !watched && checkpoint && button('Watch', () => actions.chooseCheckpoint(id)),
    isActive(run) && button('Pause', () => void actions.runs.change(id, 'pause')),
    (status === 'paused' || status === 'stopped' || status === 'failed') && button('Resume', () => void actions.runs.change(id, 'resume')),
    (isActive(run) || status === 'paused') && button('Stop', () => void actions.runs.change(id, 'stop')),
    watched && checkpoint && button('Keep', () => void actions.runs.keep(iteration === null ? id : `${id}.${iteration}`, iteration === null ? name : `${name} at ${iteration}`)),
    !isActive(run) && iconButton('trash', 'Delete this run', async () => {
      if (await confirmed(`Delete the run '${name}' and all its checkpoints?`, 'Delete')) void actions.runs.remove(id);
    }),
  ];
}

/** @returns {(run: RunInfo) => number|null} Iterations a second, once a run has been seen for a while. */
function createSpeed() {
  let seen = '';
  /** @type {{at: number, iteration: number}[]} */
  let samples = [];
  return ({id, status, progress}) => {
    if (seen !== id || status !== 'running' || !progress) samples = [];
    seen = id;
    if (!progress) return null;
    const now = {at: performance.now(), iteration: progress.iteration};
    samples = [...samples.filter(({at}) => now.at - at < SPEED_MS), now];
    const [first] = samples;
    return now.at - first.at > 300 ? (1000 * (now.iteration - first.iteration)) / (now.at - first.at) : null;
  };
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
