// Training runs: what the server tells of them as it happens, and what a person asks of them.

/** @import {Api} from './api.js' */
/** @import {Connection} from './connection.js' */
/** @import {Notices} from './notices.js' */
/** @import {Failure, RunInfo, RunRequest, Summary} from './state.js' */
/** @import {Store} from './store.js' */
import {failureFrom} from './failure.js';
import {standing} from './shell/run_words.js';
import {whole} from './shell/whole.js';

/** Milliseconds from one picture of a machine that learns to the next. */
const FOLLOW_MS = 700;

/**
 * The moment of a training that a checkpoint is of.
 *
 * @param {string} checkpoint
 * @returns {{id: string, iteration: number|null}} The checkpoint at the end of its series, and the iteration after which
 *   this one was taken; null for the newest.
 */
export function momentOf(checkpoint) {
  const [, id, iteration] = /^(.+)\.(\d{1,9})$/.exec(checkpoint) ?? [];
  return id === undefined ? {id: checkpoint, iteration: null} : {id, iteration: Number(iteration)};
}

/**
 * @param {Summary[]} list
 * @param {string|null|undefined} id
 * @returns {Summary|undefined} The checkpoint; for one within a series, that at its end.
 */
export function checkpointOf(list, id) {
  return list.find((one) => one.id === id) ?? list.find((one) => one.id === momentOf(id ?? '').id);
}

/**
 * @param {Summary[]} list
 * @param {string} id
 * @returns {string} What the page calls the checkpoint; one within a series with its iteration.
 */
export function modelName(list, id) {
  const found = checkpointOf(list, id);
  if (!found) return id;
  const {iteration} = momentOf(id);
  return found.id === id || iteration === null ? found.name : `${found.name}, iteration ${whole(iteration)}`;
}

/**
 * @param {RunInfo} run
 * @returns {boolean} Whether it is being trained, or waits for its turn.
 */
export function isActive({status}) {
  return status === 'running' || status === 'queued';
}

/**
 * Keeps the state's runs as the server has them, and the picture of a machine that learns up to date.
 *
 * @param {object} parts
 * @param {Store} parts.store
 * @param {Api} parts.api
 * @param {Notices} parts.notices
 * @param {Connection} parts.connection
 * @param {(id: string) => void} parts.show Shows a checkpoint.
 * @param {() => Promise<void>} parts.again Asks for the trace on screen once more, and waits until it is there.
 * @param {() => Promise<void>} parts.relist Asks for the list of checkpoints once more.
 * @param {AbortSignal} parts.signal
 */
export function createRuns({store, api, notices, connection, show, again, relist, signal}) {
  let followed = -Infinity;
  /** @type {string|null} The run on screen, if it has learnt since it was drawn. */
  let stale = null;
  let drawing = false;
  /** @type {string|null} The run whose first picture is waited for. */
  let awaited = null;

  /** @param {RunInfo[]} runs */
  function hear(runs) {
    const before = new Map((store.get().runs ?? []).map((run) => [run.id, run]));
    store.set({runs});
    const changed = runs.filter(({id, status, checkpoint}) => before.get(id)?.status !== status || before.get(id)?.checkpoint !== checkpoint);
    if (changed.length > 0 || before.size > runs.length) void relist().then(() => tell(changed, before));
    follow(before);
  }

  /**
   * @param {RunInfo[]} changed
   * @param {Map<string, RunInfo>} before
   */
  function tell(changed, before) {
    for (const {id, name, status, message} of changed) {
      if (!before.has(id) || before.get(id)?.status === status) continue;
      if (status === 'finished') notices.notify('info', `'${name}' has finished training.`);
      if (status === 'failed') notices.notify('error', `'${name}' failed: ${message}`);
    }
    const ready = changed.find(({id, checkpoint}) => id === awaited && checkpoint);
    if (!ready) return;
    awaited = null;
    show(ready.id);
  }

  /**
   * Notes when there is a newer machine of the run on screen than the one that is drawn.
   *
   * @param {Map<string, RunInfo>} before
   */
  function follow(before) {
    const run = onScreen();
    if (run && learnt(run, before.get(run.id))) stale = run.id;
    void catchUp();
  }

  /**
   * @param {RunInfo} run The one on screen.
   * @param {RunInfo|undefined} known What was heard of it before.
   * @returns {boolean} Whether its trace may show an older machine; one that is on its way shows the end of a run, if that has come.
   */
  function learnt(run, known) {
    if (!known) return isActive(run) || store.get().trace.status === 'ready';
    return run.progress?.live !== known.progress?.live || run.status !== known.status;
  }

  /** @returns {RunInfo|undefined} The run whose newest machine is on screen. */
  function onScreen() {
    const {request, runs} = store.get();
    const {id, iteration} = momentOf(request?.checkpoint ?? '');
    return iteration === null ? runs?.find((run) => run.id === id) : undefined;
  }

  /** Draws the newest machine of the run on screen, as often as that is fluid, and never before the last one is there. */
  async function catchUp() {
    const run = onScreen();
    if (drawing || stale === null || store.get().trace.status !== 'ready') return;
    if (run?.id === stale && isActive(run) && performance.now() - followed < FOLLOW_MS) return;
    const wanted = run?.id === stale;
    stale = null;
    if (!wanted) return;
    followed = performance.now();
    drawing = true;
    await again();
    drawing = false;
    await catchUp();
  }

  /** Listens until the page ends. */
  function listen() {
    api.watchRuns(hear, signal);
    store.subscribe(({trace}, previous) => {
      if (trace.status !== previous.trace.status) void catchUp();
    }, signal);
  }

  /**
   * @param {() => Promise<unknown>} work
   * @param {string} what
   * @returns {Promise<boolean>} Whether the server did it.
   */
  async function attempt(work, what) {
    try {
      await work();
      return true;
    } catch (error) {
      if (!signal.aborted) {
        notices.notify('error', `${what}: ${failureFrom(error).message}`);
        connection.failed(error);
      }
      return false;
    }
  }

  return {
    listen,

    /** @param {RunRequest} asked @returns {Promise<Failure|null>} Why it was not started; null if it was. */
    async start(asked) {
      try {
        const run = await api.addRun(asked, signal);
        if (run.status === 'queued') notices.notify('info', `'${run.name}' ${standing(run)}.`);
        else awaited = run.id;
        return null;
      } catch (error) {
        if (!signal.aborted) connection.failed(error);
        return failureFrom(error);
      }
    },

    /** @param {string} id @param {'pause'|'resume'|'stop'} action */
    change: (id, action) => attempt(() => api.changeRun(id, action, signal), `The run was not ${{pause: 'paused', resume: 'resumed', stop: 'stopped'}[action]}`),

    /** @param {string} id */
    remove: (id) => attempt(() => api.removeRun(id, signal), 'The run was not deleted'),

    /** @param {string} checkpoint @param {string} name */
    keep: (checkpoint, name) => attempt(async () => {
      await api.keep(checkpoint, name, signal);
      await relist();
      notices.notify('info', `'${name}' is kept among the uploads.`);
    }, 'The checkpoint was not kept'),
  };
}
