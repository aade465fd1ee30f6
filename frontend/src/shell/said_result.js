// How a run did, for who listens: said once it is settled, and now and then while a machine that learns is watched.

/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
import {setText} from '../views/dom.js';
import {resultNotes, resultParts} from './status.js';

/** Milliseconds without another result after which one is said. */
const REST = 400;

/** Milliseconds from one result to the next of the same request, which another machine gave. */
const AGAIN = 5000;

/**
 * @param {{at: number, request: State['request']}} said When the last result was said, and of what.
 * @param {State['request']} request Of the result that has come.
 * @param {number} now
 * @returns {number} Milliseconds until that is said.
 */
export function waitFor(said, request, now) {
  return Math.max(REST, request === said.request ? said.at + AGAIN - now : 0);
}

/**
 * @param {HTMLElement} root A live region.
 * @param {{store: Store, signal: AbortSignal}} parts
 */
export function mountSaidResult(root, {store, signal}) {
  /** @type {{at: number, request: State['request']}} */
  let said = {at: -Infinity, request: null};
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;

  function say() {
    const state = store.get();
    said = {at: performance.now(), request: state.request};
    setText(root, [...resultParts(state, 0).map(({text}) => text), ...resultNotes(state)].join(', '));
  }

  store.subscribe(({trace, request}, previous) => {
    if (trace.end === previous.trace.end) return;
    clearTimeout(timer);
    if (request !== said.request) setText(root, '');
    if (trace.end) timer = setTimeout(say, waitFor(said, request, performance.now()));
  }, signal);
  signal.addEventListener('abort', () => clearTimeout(timer), {once: true});
}
