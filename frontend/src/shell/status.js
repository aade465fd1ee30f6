// What the page has to say: notices, the server gone, the state of the trace, its result.

/** @import {Actions} from '../actions.js' */
/** @import {Notice, State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {TraceData} from '../trace_data.js' */
import {isRecording} from '../api.js';
import {refusalOf} from '../change_words.js';
import {besideIn, keepFocus} from '../focus.js';
import {isChanged, UNCHANGED} from '../interventions.js';
import {EAGER, whyEager} from './core_note.js';
import {el, icon, iconButton, keyedChildren, replaceChildren} from './dom.js';
import {withSteps} from './input_rows.js';
import {setBusy, setText} from '../views/dom.js';

/**
 * @param {TraceData} data Whose outputs were not judged.
 * @returns {string} Why.
 */
export function unjudged(data) {
  return askedBits(data) > 0 ? 'outputs and targets that are no numbers are not judged' : 'no targets: outputs are not judged';
}

/** ms between looks at the clock while a busy server is waited for. */
const TICK = 500;

/**
 * @param {TraceData} data
 * @returns {number} Bits that the task asks for.
 */
export function askedBits(data) {
  const channels = data.header.axes.output;
  let steps = 0;
  for (const asked of data.episode('mask')) steps += asked > 0 ? 1 : 0;
  return steps * channels;
}

/**
 * @param {number} bits
 * @returns {string}
 */
export function bitsText(bits) {
  if (bits === 0) return '0';
  if (bits < 0.001) return bits.toExponential(1).replace('e-', ' × 10⁻').replace(/⁻(\d+)$/, (_, digits) => `⁻${superscript(digits)}`);
  return bits < 10 ? bits.toFixed(3) : bits.toFixed(1);
}

/** @param {string} digits */
function superscript(digits) {
  return [...digits].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('');
}

/**
 * @param {number} retryAt
 * @param {number} now Both ms, as Date.now().
 */
function waitText(retryAt, now) {
  return `The server is busy and asks to wait; next try in ${Math.max(0, Math.ceil((retryAt - now) / 1000))} s.`;
}

/**
 * @param {State} state
 * @param {number} now ms, as Date.now().
 * @returns {{text: string, tone: 'ok'|'error'|'plain'}[]} The result line, part by part.
 */
export function resultParts({trace: {status, data, end, received, retry_at}, sought}, now) {
  if (!data) return [];
  const {steps} = data.header;
  if (retry_at !== null) return [{text: waitText(retry_at, now), tone: 'plain'}];
  if (status === 'pending') return [{text: 'asking the server…', tone: 'plain'}];
  if (status === 'streaming') {
    const next = sought === null ? '' : `, t = ${sought + 1} on its way`;
    return [{text: `recording, ${received} of ${steps} steps${next}`, tone: 'plain'}];
  }
  if (!end) return [];
  /** @type {{text: string, tone: 'ok'|'error'|'plain'}[]} */
  const parts = [];
  if (end.wrong_bits !== null) {
    parts.push({text: `${end.wrong_bits} / ${askedBits(data)} wrong bits`, tone: end.wrong_bits === 0 ? 'ok' : 'error'});
  }
  if (end.loss_bits !== null) parts.push({text: `loss ${bitsText(end.loss_bits)} bits`, tone: 'plain'});
  if (parts.length === 0) parts.push({text: unjudged(data), tone: 'plain'});
  const when = end.seconds > 0 ? `in ${Math.round(end.seconds * 1000)} ms` : 'before';
  return [...parts, {text: `${steps} steps recorded ${when}`, tone: 'plain'}];
}

/**
 * @param {State} state
 * @returns {string[]} What is to be known of the trace beside its result.
 */
export function resultNotes({trace: {data}}) {
  return data ? [withSteps(data.header.task_note ?? ''), ...data.header.warnings].filter(Boolean) : [];
}

/**
 * @param {HTMLElement} root
 * @param {{store: Store, signal: AbortSignal}} parts
 */
export function mountResult(root, {store, signal}) {
  let ticking = 0;

  /** @param {State} state */
  function render(state) {
    clearTimeout(ticking);
    if (state.trace.retry_at !== null) ticking = window.setTimeout(() => render(store.get()), TICK);
    const {data} = state.trace;
    const slow = data && state.request && !isRecording(state.request.checkpoint) ? whyEager(data.header, state.detail) : null;
    replaceChildren(root,
      ...resultParts(state, Date.now()).map(({text, tone}) => el('span', {class: `result result-${tone}`}, text)),
      slow !== null && el('span', {class: 'result result-eager', title: slow}, EAGER),
      state.request?.inputs ? el('span', {class: 'result result-typed'}, 'typed input') : null,
      ...resultNotes(state).map((note) => el('span', {class: 'result result-note'}, note)));
  }
  store.subscribe((state, previous) => {
    const keys = /** @type {const} */ (['trace', 'sought', 'request', 'detail']);
    if (keys.some((key) => state[key] !== previous[key])) render(state);
  }, signal);
  render(store.get());
}

/**
 * @param {HTMLElement} root
 * @param {{store: Store, actions: Actions, signal: AbortSignal}} parts
 */
export function mountNotices(root, {store, actions, signal}) {
  const show = keyedChildren(root);

  /** @param {boolean} works Whether there is something on screen. */
  const gone = (works) => el('div', {class: 'banner banner-error', role: 'alert'},
    el('span', {}, `The server at ${location.host} does not answer; this page looks for it every few seconds.${works ? ' What is on screen still works.' : ''}`),
    el('button', {type: 'button', class: 'button', onclick: actions.retry}, 'Try again'));

  /** @param {Notice} notice One that has the focus stays. */
  const banner = ({id, level, text}) => el('div', {class: `banner banner-${level}`, onfocusin: () => actions.hold(id), onfocusout: () => actions.letGo(id)},
    el('span', {}, text),
    iconButton('close', 'Dismiss', () => actions.dismiss(id)));

  /** @param {State} state */
  function render({notices, offline, trace}) {
    const works = trace.data !== null;
    /** @type {[string|number, () => HTMLElement][]} */
    const banners = notices.map((notice) => [notice.id, () => banner(notice)]);
    if (offline) banners.unshift([`gone ${works}`, () => gone(works)]);
    keepFocus(root, () => show(banners), besideIn(root, 'button'));
  }
  store.subscribe((state, previous) => {
    if (state.notices !== previous.notices || state.offline !== previous.offline || (state.offline && state.trace !== previous.trace)) render(state);
  }, signal);
  render(store.get());
}

/**
 * What stands in place of the views while there is nothing to see; dims them while a new trace is on its way.
 *
 * @param {{stage: HTMLElement, views: HTMLElement}} roots
 * @param {{store: Store, actions: Actions, chooseFile: () => void, signal: AbortSignal}} parts
 */
export function mountStage({stage, views}, {store, actions, chooseFile, signal}) {
  let ticking = 0;

  let shown = '';
  /** What is counted while it is waited is not announced. */
  let line = el('p');

  /** @param {State} state */
  function render(state) {
    clearTimeout(ticking);
    const {trace} = state;
    const message = stageMessage(state, Date.now());
    views.hidden = !trace.data;
    setBusy(views, trace.status === 'pending');
    stage.hidden = message === null;
    if (message && trace.retry_at !== null) ticking = window.setTimeout(() => render(store.get()), TICK);
    const refused = trace.error?.status === 422;
    const changed = refused && state.request !== null && isChanged(state.request);
    const now = JSON.stringify([message?.kind, message?.title, message?.kind === 'busy' || message?.text, refused, changed]);
    if (now !== shown) keepFocus(stage, () => replaceChildren(stage, ...(message ? parts(message, refused, changed) : [])));
    else setText(line, message?.text ?? '');
    shown = now;
  }

  /**
   * @param {Message} message
   * @param {boolean} refused
   * @param {boolean} changed
   */
  function parts({title, text, kind}, refused, changed) {
    line = el('p', {'aria-live': kind === 'busy' ? 'off' : null});
    setText(line, text);
    return [
      kind === 'busy' && el('div', {class: 'stage-pulse', 'aria-hidden': 'true'}),
      el('h2', {}, title),
      text !== '' && line,
      kind === 'failed' && el('div', {class: 'stage-actions'},
        el('button', {type: 'button', class: 'button button-strong', onclick: actions.retry}, 'Try again'),
        changed && el('button', {type: 'button', class: 'button', onclick: () => actions.change(UNCHANGED)}, 'Undo the changes'),
        refused && el('button', {type: 'button', class: 'button', onclick: actions.useTrainedTask}, 'Use the task it was trained on')),
      kind === 'empty' && el('div', {class: 'stage-actions'},
        el('button', {type: 'button', class: 'button button-strong', onclick: chooseFile}, icon('upload'), 'Upload a model')),
    ];
  }
  store.subscribe((state, previous) => {
    const keys = /** @type {const} */ (['trace', 'checkpoints', 'request']);
    if (keys.some((key) => state[key] !== previous[key])) render(state);
  }, signal);
  render(store.get());
}

/** @typedef {{kind: 'busy'|'failed'|'empty', title: string, text: string}} Message */

/**
 * @param {State} state
 * @param {number} now ms, as Date.now().
 * @returns {Message|null} Null while the views speak for themselves.
 */
export function stageMessage({modes, checkpoints, request, trace}, now) {
  if (trace.data) return null;
  if (trace.retry_at !== null) return {kind: 'busy', title: 'Waiting for the server', text: waitText(trace.retry_at, now)};
  if (trace.status === 'failed') {
    return {kind: 'failed', title: 'There is no trace to show', text: refusalOf({modes}, request, trace.error?.message ?? '')};
  }
  if (checkpoints.length === 0) {
    return {kind: 'empty', title: 'No model yet', text: 'Drop a checkpoint (.safetensors) anywhere on this page, or choose one.'};
  }
  const name = checkpoints.find(({id}) => id === request?.checkpoint)?.name ?? '';
  return {kind: 'busy', title: `Running ${name}…`, text: 'The first step shows as soon as it is computed.'};
}
