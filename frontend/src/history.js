// Keeps the address bar and the state together, both ways.

/** @import {Actions} from './actions.js' */
/** @import {State, TraceRequest} from './state.js' */
/** @import {Store} from './store.js' */
import {fromHash, toHash} from './url_state.js';

/** Browsers refuse more than about 100 changes of the address in 30 s, so it is set once the view rests. */
const REST_MS = 250;

/**
 * Whether going back should return to the request before: each edit of typed rows is not a place of its own.
 *
 * @param {TraceRequest|null} before
 * @param {TraceRequest|null} now
 * @returns {boolean}
 */
export function isNewPlace(before, now) {
  if (!before || !now || before === now) return false;
  if (before.inputs && now.inputs) return before.checkpoint !== now.checkpoint;
  return true;
}

/**
 * @param {State} state
 * @returns {string} The page's title, by which a person finds this view among tabs and in the history.
 */
export function titleOf({request, checkpoints}) {
  if (!request) return 'NTM Scope';
  const model = checkpoints.find(({id}) => id === request.checkpoint);
  const episode = request.inputs ? 'typed input' : `seed ${request.seed}`;
  return [model?.name ?? request.checkpoint, request.task?.name.replaceAll('_', ' '), episode, 'NTM Scope'].filter(Boolean).join(' · ');
}

/**
 * @param {object} parts
 * @param {Store} parts.store
 * @param {Actions} parts.actions
 * @param {AbortSignal} parts.signal
 */
export function bindHistory({store, actions, signal}) {
  let timer = 0;
  let written = location.hash;
  /** @type {TraceRequest|null} */
  let place = null;
  let {tree} = store.get();
  let entering = true;

  function write() {
    const state = store.get();
    document.title = titleOf(state);
    const hash = toHash(state);
    const push = !entering && !state.trace.refused && (isNewPlace(place, state.request) || (place !== null && tree !== state.tree));
    entering = false;
    place = state.request;
    tree = state.tree;
    if (!hash || hash === written) return;
    written = hash;
    if (push) history.pushState(null, '', hash);
    else history.replaceState(null, '', hash);
  }

  /**
   * @param {State} state
   * @param {State} previous
   */
  function onChange(state, previous) {
    clearTimeout(timer);
    if (state.request !== previous.request || state.tree !== previous.tree) write();
    else timer = window.setTimeout(write, REST_MS);
  }

  function onNavigation() {
    if (location.hash === written) return;
    clearTimeout(timer);
    written = location.hash;
    entering = true;
    actions.openPlace(fromHash(location.hash));
  }

  store.subscribe(onChange, signal);
  window.addEventListener('popstate', onNavigation, {signal});
  window.addEventListener('hashchange', onNavigation, {signal});
}
