// Playback on an exact time base: the step is computed from the clock, so frames are dropped and never queued.

/** @import {State} from './state.js' */
/** @import {Store} from './store.js' */
import {standing} from './cursor.js';
import {STEPS_PER_SECOND} from './state.js';

/** @typedef {{time: number, step: number}} Anchor When playing began (ms), and on which step. */

/**
 * Where the cursor is at `now`.
 *
 * @param {Anchor} anchor
 * @param {number} now ms, on the anchor's clock.
 * @param {{speed: number, loop: [number, number]|null, steps: number}} tape
 * @returns {{step: number, ended: boolean}}
 */
export function positionAt(anchor, now, {speed, loop, steps}) {
  const passed = Math.floor(((now - anchor.time) * speed * STEPS_PER_SECOND) / 1000 + 1e-6);
  let step = anchor.step + Math.max(0, passed);
  if (loop) {
    const [start, stop] = loop;
    if (step > stop) step = start + ((step - stop - 1) % (stop - start + 1));
    if (step < start) step = start;
  }
  const ended = !loop && step >= steps - 1;
  if (ended) step = steps - 1;
  return {step, ended};
}

/**
 * Moves the cursor while `state.playing`. Asks for frames only then, and the browser gives none to a hidden page.
 *
 * @param {object} parts
 * @param {Store} parts.store
 * @param {AbortSignal} parts.signal
 * @param {() => number} [parts.now] ms
 * @param {(frame: () => void) => void} [parts.requestFrame]
 * @param {Pick<Document, 'hidden'|'addEventListener'>} [parts.page]
 */
export function startPlayback({
  store,
  signal,
  now = () => performance.now(),
  requestFrame = (frame) => requestAnimationFrame(frame),
  page = document,
}) {
  /** @type {(Anchor & {speed: number, loop: State['loop'], data: State['trace']['data'], shown: number})|null} */
  let anchor = null;
  let asked = false;

  /** @param {State} state */
  function anchored(state) {
    const {speed, loop, step, trace: {data}} = state;
    const same = anchor && anchor.speed === speed && anchor.loop === loop && anchor.data === data && anchor.shown === step;
    if (!anchor || !same) anchor = {time: now(), step, speed, loop, data, shown: step};
    return anchor;
  }

  function frame() {
    asked = false;
    const state = store.get();
    const {data} = state.trace;
    if (signal.aborted || !state.playing || !data || page.hidden) {
      anchor = null;
      return;
    }
    if (state.sought !== null) {
      // It goes on from there, once that has arrived.
      anchor = null;
      store.set(standing(data, state.sought));
      if (store.get().sought === null) anchored(store.get());
      ask();
      return;
    }
    const from = anchored(state);
    const {step, ended} = positionAt(from, now(), {...state, steps: data.header.steps});
    const there = standing(data, step);
    const waiting = there.sought !== null;
    from.shown = step;
    if (waiting || step !== state.step) store.set(there);
    if (ended && !waiting) store.set({playing: false});
    ask();
  }

  function ask() {
    if (asked || page.hidden || !store.get().playing) return;
    asked = true;
    requestFrame(frame);
  }

  store.subscribe(ask, signal);
  page.addEventListener('visibilitychange', () => {
    anchor = null;
    ask();
  }, {signal});
}
