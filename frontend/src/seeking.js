// A jump ahead of what has arrived: the steps around it are asked for by themselves, while all others go on arriving.

/** @import {Api} from './api.js' */
/** @import {TraceRequest} from './state.js' */
/** @import {Store} from './store.js' */
/** @import {TraceData} from './trace_data.js' */
/** @import {TraceReader} from './wire.js' */
import {patiently} from './compare/column_loader.js';
import {standing} from './cursor.js';

/** A step is asked for once the cursor has been sought there for so long: a drag passes by many. */
const REST_MS = 120;

/** What arrives by itself within such a time is not asked for. */
const SOON_MS = 1000;

/** A part has about so many bytes, uncoded: less than the server puts into one frame. */
const PART_BYTES = 256 * 1024;

/**
 * The steps to ask for with one that is sought: on from there, or up to there, if what lies on the other side is known.
 *
 * @param {TraceData} data
 * @param {number} step
 * @returns {{first: number, count: number}}
 */
export function partAround(data, step) {
  const recordBytes = data.sizes.step * (data.header.dtype === 'float64' ? 8 : 4);
  const count = Math.max(1, Math.floor(PART_BYTES / Math.max(1, recordBytes)));
  const before = data.holds(step - 1) ? 0 : data.holds(step + 1) ? count - 1 : Math.floor(count / 2);
  return {first: Math.max(0, step - before), count};
}

/**
 * Asks for what the cursor is sought on while a trace streams; one part at a time. Where the server would have to compute
 * the whole run step by step, it would only come later for that, and nothing is asked for.
 *
 * @param {object} parts
 * @param {Store} parts.store
 * @param {Pick<Api, 'streamTrace'>} parts.api
 * @param {TraceRequest} parts.request Of the trace.
 * @param {AbortSignal} parts.signal At its end nothing is sought any more.
 * @returns {(reader: TraceReader) => void} To be told of the trace each time that some of it has arrived.
 */
export function seekAhead({store, api, request, signal}) {
  /** @type {{data: TraceData, time: number, received: number}|null} When the trace began. */
  let begun = null;
  /** @type {{first: number, count: number, abort: AbortController}|null} The last part. */
  let asked = null;
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;

  function look() {
    const {sought} = store.get();
    if (!begun || sought === null || (asked && sought >= asked.first && sought < asked.first + asked.count)) return;
    if (isSoon(begun, sought)) {
      wait();
      return;
    }
    asked?.abort.abort();
    asked = {...partAround(begun.data, sought), abort: new AbortController()};
    void ask(begun.data, asked);
  }

  function wait() {
    clearTimeout(timer);
    timer = setTimeout(look, REST_MS);
  }

  /**
   * @param {TraceData} data
   * @param {{first: number, count: number, abort: AbortController}} part
   */
  async function ask(data, {abort, ...part}) {
    try {
      const found = (await patiently(() => api.streamTrace(request, () => {}, abort.signal, part), abort.signal)).data;
      // Another machine may have this name by now.
      if (!found || abort.signal.aborted || found.header.run !== data.header.run) return;
      data.addPart(part.first, found);
      const {sought, trace} = store.get();
      if (trace.data === data) store.set({...(sought === null ? {} : standing(data, sought)), trace: {...trace}});
    } catch {
      // The trace itself arrives there, or says why not.
    }
  }

  store.subscribe((state, previous) => {
    if (state.sought !== previous.sought) wait();
  }, signal);
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    asked?.abort.abort();
  }, {once: true});

  return ({data}) => {
    // Before its first step is there, the cursor stands in the trace before.
    if (!data || data.received === 0 || data === begun?.data || !(data.header.core === 'compiled' || data.header.kept)) return;
    begun = {data, time: performance.now(), received: data.received};
    wait();
  };
}

/**
 * @param {{data: TraceData, time: number, received: number}} begun
 * @param {number} step
 * @returns {boolean} Whether it arrives soon, as fast as the steps before have arrived.
 */
function isSoon({data, time, received}, step) {
  const perStep = (performance.now() - time) / (data.received - received);
  return perStep * (step - data.received) < SOON_MS;
}
