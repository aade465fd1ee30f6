// Trace streams of which the page itself reads the first, if it is short.
//
// A thread cannot begin while the page evaluates its own script, and only then fetches what it is to run: the first picture
// would wait for that. A long trace would in turn hold up the page that reads it, so the thread reads that one from its start.

/** @import {Frame} from '../wire.js' */
/** @import {Frames} from './fetched.js' */
import {TraceReader} from '../wire.js';

/** Numbers of a trace, those in memory counted anew in each step that writes it, which the page reads within a few frames. */
const MOST_NUMBERS = 1 << 20;

/** Milliseconds after which the thread begins although nobody waits for it: by then the first trace has been drawn. */
const LATER = 500;

/**
 * @param {Frames} here
 * @param {() => Frames} begin Those of a thread, which begins with this.
 * @returns {Frames}
 */
export function firstHere(here, begin) {
  /** @type {Frames|null} */
  let others = null;
  const beside = () => (others ??= begin());
  let first = true;

  return async function* frames(path, init) {
    if (first) {
      first = false;
      let short = true;
      try {
        short = yield* ifShort(here(path, init));
      } finally {
        if (short) setTimeout(beside, LATER);
      }
      if (short) return;
    }
    yield* beside()(path, init);
  };
}

/**
 * @param {AsyncGenerator<Frame[]>} batches
 * @returns {AsyncGenerator<Frame[], boolean>} All of them, or, if the trace is long, none; whether it is short.
 */
async function* ifShort(batches) {
  let begun = false;
  for await (const batch of batches) {
    if (!begun && isLong(batch[0])) return false;
    begun = true;
    yield batch;
  }
  return true;
}

/**
 * @param {Frame} frame The first of a trace.
 * @returns {boolean}
 */
function isLong(frame) {
  const reader = new TraceReader();
  reader.accept(frame);
  if (!reader.data) return false;
  const {sizes, header: {steps, axes}} = reader.data;
  return steps * (sizes.step + axes.location * axes.word) > MOST_NUMBERS;
}
