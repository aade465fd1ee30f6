// What a person can ask for, and what the page then asks of the server.

/** @import {Api, Lists} from './api.js' */
/** @import {Changes} from './interventions.js' */
/** @import {Intervention, Summary, TaskInfo, TaskSettings, TraceRequest, Wishes} from './state.js' */
/** @import {Store} from './store.js' */
/** @import {View} from './trace_loader.js' */
/** @import {PatchAsked, PatchRow} from './patching/asked.js' */
/** @import {Place} from './url_state.js' */
/** @import {Tree} from './branches/tree.js' */
import {isRecording, RECORDED} from './api.js';
import {forked, hasRoom, pruned, swapped} from './branches/moves.js';
import {branchOf, editedBranch, freed, inheritedEdits, MOST_BRANCHES, pathTo, renamed, runOf, stillShown, withOwn} from './branches/tree.js';
import {keepColumns} from './compare/column_loader.js';
import {withChoices} from './compare/columns.js';
import {createConnection} from './connection.js';
import {failureFrom} from './failure.js';
import {isChanged, UNCHANGED, withEdit, withUsedSources} from './interventions.js';
import {Latest} from './latest.js';
import {createNotices} from './notices.js';
import {patchedFork} from './patching/fork.js';
import {ApiError} from './request.js';
import {checkpointOf, createRuns, modelName} from './runs.js';
import {codedAs, startingSettings, startingTask} from './task_settings.js';
import {createTraceLoader, viewOf, viewWithin} from './trace_loader.js';
import {createUploads} from './uploads.js';
import {beyond} from './url_state.js';

/**
 * @param {object} parts
 * @param {Store} parts.store
 * @param {Api} parts.api
 * @param {AbortSignal} parts.signal
 */
export function createActions({store, api, signal}) {
  const notices = createNotices(store);
  const connection = createConnection({store, api, onReturn: askAgain, signal});
  const loadTrace = createTraceLoader({store, api, onFailure: traceFailed});
  const {upload, remove, dismissUpload} = createUploads({store, api, notices, connection, choose, signal});
  const runs = createRuns({store, api, notices, connection, show: chooseCheckpoint, again: askOnceMore, relist, signal});
  keepColumns({store, api, onFailure: connection.failed, signal});
  const detailing = new Latest();

  /**
   * @param {Place} place
   * @param {Lists} lists What came with the page, so that the first trace can be asked for at once.
   */
  function start(place, lists) {
    runs.listen();
    store.set(lists);
    openPlace(place);
  }

  /** @returns {Promise<Summary[]>} All checkpoints, then all recordings. */
  async function listed() {
    const [checkpoints, recordings] = await Promise.all([api.checkpoints(signal), api.recordings(signal)]);
    return [...checkpoints, ...recordings];
  }

  /** The lists again, because the server has others now; if they do not come, the old ones stay. */
  async function relist() {
    try {
      store.set({checkpoints: await listed()});
    } catch (error) {
      if (!signal.aborted) connection.failed(error);
    }
  }

  /** @param {unknown} error Why there is no trace. */
  function traceFailed(error) {
    connection.failed(error);
    if (error instanceof ApiError && error.status === 404) void leaveGone();
  }

  /** Shows the first model where that of the page is no longer on the server: another tab may have deleted it. */
  async function leaveGone() {
    const before = store.get();
    await relist();
    const {checkpoints, request} = store.get();
    const [first] = checkpoints;
    if (!request || request !== before.request || !first || checkpointOf(checkpoints, request.checkpoint)) return;
    choose(first);
    notices.notify('warn', `'${modelName(before.checkpoints, request.checkpoint)}' is no longer on this server; '${first.name}' is shown.`);
  }

  /** The trace on screen anew: its machine has learnt more. */
  async function askOnceMore() {
    const {request} = store.get();
    if (request) await loadTrace(request, viewOf(store.get()), {quiet: true});
  }

  /**
   * Another moment of a training run, everything else as it is.
   *
   * @param {string} checkpoint
   */
  function chooseMoment(checkpoint) {
    const {request} = store.get();
    if (request && request.checkpoint !== checkpoint) ask({...request, checkpoint});
  }

  /** Asks for everything that failed. */
  function askAgain() {
    const {trace, detail, request} = store.get();
    if (request && trace.status === 'failed') void loadTrace(request, viewOf(store.get()));
    if (request && detail?.status === 'failed') void loadDetail(request.checkpoint);
  }

  /** @returns {{checkpoints: Summary[], tasks: TaskInfo[], chosen: Summary|undefined}} */
  function known() {
    const {checkpoints, tasks, request} = store.get();
    return {checkpoints, tasks, chosen: checkpointOf(checkpoints, request?.checkpoint)};
  }

  /**
   * Shows what a link says, as far as it can be shown.
   *
   * @param {Place} place
   */
  function openPlace({request: asked, view: {speed, scale, output_view, zoom, ...wanted}, compare, problems}) {
    if (problems.length > 0) notices.notify('warn', problems.join(' '));
    const {checkpoints, tasks} = known();
    const found = checkpointOf(checkpoints, asked.checkpoint);
    const checkpoint = found ?? checkpoints[0];
    if (!checkpoint) return;
    if (asked.checkpoint !== null && !found) {
      notices.notify('warn', `The link names the model '${asked.checkpoint}', which this server does not have; '${checkpoint.name}' is shown.`);
    }
    const {tree} = compare;
    store.set({speed, scale, output_view, zoom, columns: withChoices(store.get().columns, compare.columns, compare.offsets), compare: compare.view, tree, patching: compare.patching});
    const run = tree.shown === null ? null : runOf(tree, tree.shown);
    const request = {
      ...asked,
      ...possibleChanges({...asked, ...run}, checkpoint),
      checkpoint: found ? asked.checkpoint ?? found.id : checkpoint.id,
      task: asked.task ?? taskFor(tasks, checkpoint),
    };
    if (JSON.stringify(store.get().request) === JSON.stringify(request)) {
      showView(wanted);
      return;
    }
    const loaded = ask(request, wanted);
    const shown = store.get().request;
    void loaded.then(() => {
      if (store.get().request === shown) tellBeyond(wanted);
    });
  }

  /** @param {View} wanted What a link says, once its run is there. */
  function tellBeyond(wanted) {
    const {data} = store.get().trace;
    const told = data ? beyond(wanted, data.header) : [];
    if (told.length > 0) notices.notify('warn', told.join(' '));
  }

  /**
   * What a link says of changes, as far as it can be done.
   *
   * @param {Place['request']} asked
   * @param {Summary} checkpoint
   * @returns {Changes}
   */
  function possibleChanges({mode, interventions, leave_constraints, sources}, {source, name}) {
    const {modes} = store.get();
    const known = modes.some((one) => one.name === mode);
    if (!known) notices.notify('warn', `The link names the addressing mode '${mode}', which this server does not have; 'full' is shown.`);
    const changes = withUsedSources({mode: known ? mode : UNCHANGED.mode, interventions, leave_constraints, sources});
    if (source !== 'recorded' || !isChanged(changes)) return changes;
    notices.notify('warn', `The link changes what '${name}' computes, but that was recorded by another program: it is shown as it is.`);
    return UNCHANGED;
  }

  /** @param {View} wanted */
  function showView(wanted) {
    const {data} = store.get().trace;
    if (!data || data.received === 0) return;
    store.set(viewWithin(wanted, data));
    tellBeyond(wanted);
  }

  /**
   * @param {TraceRequest} asked
   * @param {View} [wanted]
   * @param {{keep?: boolean}} [options]
   * @param {Tree} [tree] The branches as they are then.
   * @returns {Promise<void>} When the trace is there, or is not to come.
   */
  function ask(asked, wanted = viewOf(store.get()), options = {}, tree = store.get().tree) {
    const before = store.get();
    const request = withUsedSources(asked);
    store.set({request, tree: stillShown(tree, request)});
    const loaded = loadTrace(request, wanted, {...options, before: before.tree});
    if (before.request?.checkpoint !== request.checkpoint) void loadDetail(request.checkpoint);
    return loaded;
  }

  /** @param {string} id */
  async function loadDetail(id) {
    const mine = detailing.begin();
    if (isRecording(id)) {
      store.set({detail: null});
      return;
    }
    store.set({detail: {status: 'pending'}});
    try {
      store.set({detail: {status: 'ready', value: await api.detail(id, mine)}});
    } catch (error) {
      if (mine.aborted) return;
      store.set({detail: {status: 'failed', error: failureFrom(error)}});
      connection.failed(error);
    }
  }

  /** @param {string} id */
  function chooseCheckpoint(id) {
    const checkpoint = known().checkpoints.find((one) => one.id === id);
    if (checkpoint) choose(checkpoint);
  }

  /** @param {Summary} checkpoint */
  function choose(checkpoint) {
    const {tasks} = known();
    const {request} = store.get();
    const sameTask = request?.task && checkpoint.task && request.task.name === checkpoint.task.name ? codedAs(request.task, checkpoint.task) : null;
    const sameInput = request?.inputs && request.inputs[0].length === checkpoint.config.input_size;
    notices.dropWarnings();
    ask({
      checkpoint: checkpoint.id,
      task: sameTask ?? taskFor(tasks, checkpoint),
      seed: request?.seed ?? 0,
      initial_seed: request?.initial_seed ?? 0,
      inputs: sameInput ? request.inputs : null,
      ...UNCHANGED,
      mode: checkpoint.source === 'recorded' ? UNCHANGED.mode : request?.mode ?? UNCHANGED.mode,
    });
  }

  /**
   * Reads the chosen model's file another way.
   *
   * @param {Wishes} wishes
   */
  async function importAgain(wishes) {
    const {checkpoints, tasks, chosen} = known();
    if (!chosen) return;
    try {
      const detail = await api.importAgain(chosen.id, wishes, signal);
      store.set({
        checkpoints: checkpoints.map((one) => (one.id === detail.id ? detail : one)),
        detail: {status: 'ready', value: detail},
      });
      notices.notify('info', `'${detail.name}' is read as wished.`);
      change({task: startingTask(tasks, detail), inputs: null});
    } catch (error) {
      if (signal.aborted) return;
      notices.notify('error', `'${chosen.name}' cannot be read so: ${failureFrom(error).message}`);
      connection.failed(error);
    }
  }

  /** @param {string} name */
  function chooseTask(name) {
    const {tasks, chosen} = known();
    const info = tasks.find((task) => task.name === name);
    if (!chosen || !info) return;
    const fromTheStart = {...viewOf(store.get()), step: 0, pinned: null, diff: false, loop: null};
    change({task: startingSettings(info, chosen), inputs: null, interventions: []}, fromTheStart);
  }

  /** Back to the task that the checkpoint was trained on, which it can always run. */
  function useTrainedTask() {
    const {tasks, chosen} = known();
    if (chosen) change({task: taskFor(tasks, chosen), inputs: null});
  }

  /**
   * Another episode, or other changes. Where there are edits by hand they may not go with it: then the run on screen stays,
   * and they with it.
   *
   * @param {Partial<Pick<TraceRequest, 'seed'|'initial_seed'|'inputs'> & Changes> & {task?: TaskSettings|null}} patch
   * @param {View} [wanted]
   */
  function change(patch, wanted) {
    const {request} = store.get();
    if (!request) return;
    notices.dropWarnings();
    const asked = {...request, ...patch};
    ask(asked, wanted, {keep: asked.interventions.length > 0});
  }

  /**
   * Changes what the machine computes, from here on; if it cannot be done, the run on screen stays.
   *
   * @param {Partial<Changes>} changes
   */
  function intervene(changes) {
    const {request} = store.get();
    if (request && !isRecording(request.checkpoint)) ask({...request, ...changes}, viewOf(store.get()), {keep: true});
  }

  /**
   * @param {Tree} tree As it is to be; if the server refuses the run of its shown branch, the tree stays as it was.
   */
  function growTo(tree) {
    const {request} = store.get();
    const run = tree.shown === null ? null : runOf(tree, tree.shown);
    if (request && run) ask({...request, sources: undefined, ...run}, viewOf(store.get()), {keep: true}, tree);
    else store.set({tree});
  }

  /**
   * One more edit by hand: of the branch that is shown, or of the run itself.
   *
   * @param {Intervention} made
   */
  function edit(made) {
    const {request, tree} = store.get();
    if (tree.shown !== null) growTo(editedBranch(tree, tree.shown, made));
    else if (request) intervene({interventions: withEdit(request.interventions, made)});
  }

  /**
   * Takes edits back, those of a branch's parents aside.
   *
   * @param {(edit: Intervention) => boolean} keeps
   */
  function takeBack(keeps) {
    const {request, tree} = store.get();
    if (!request) return;
    const left = request.interventions.slice(inheritedEdits(tree)).filter(keeps);
    if (tree.shown === null) intervene({interventions: left});
    else growTo(withOwn(tree, tree.shown, left));
  }

  /** @param {boolean} leave_constraints */
  function allow(leave_constraints) {
    const {tree} = store.get();
    if (tree.shown === null) intervene({leave_constraints});
    else growTo(freed(tree, tree.shown, leave_constraints));
  }

  /** A branch of what is on screen, from the cursor on. */
  function fork() {
    const state = store.get();
    if (!state.request || !state.trace.data) return;
    if (isRecording(state.request.checkpoint)) notices.notify('warn', `${RECORDED}.`);
    else if (!hasRoom(state)) notices.notify('warn', `There are ${state.tree.branches.length} branches, and ${MOST_BRANCHES} are the most: delete one first.`);
    else {
      store.set({...forked(state), playing: false});
      const [branch, parent] = pathTo(store.get().tree, store.get().tree.shown).reverse();
      notices.notify('info', `'${branch.name}' starts at t = ${state.step + 1} and is the run on screen (A); '${parent.name}' is beside it in the compare view. Edits in the inspector are the branch's.`);
    }
  }

  /** @param {number} id Of the branch to be the main trace; one that a column shows changes places with it. */
  function showBranch(id) {
    const {tree, columns} = store.get();
    const column = columns.find(({choice}) => 'branch' in choice && choice.branch === id);
    if (tree.shown === id) return;
    if (column) makeMain(column.id);
    else growTo({...tree, shown: id});
  }

  /**
   * @param {number} id
   * @param {string} name
   */
  function renameBranch(id, name) {
    store.set({tree: renamed(store.get().tree, id, name)});
  }

  /** @param {number} id */
  function deleteBranch(id) {
    const before = store.get().tree;
    const {tree, columns} = pruned(store.get(), id);
    const below = before.branches.length - tree.branches.length - 1;
    store.set({columns});
    if (tree.shown === before.shown) store.set({tree});
    else growTo(tree);
    notices.notify('info', `'${branchOf(before, id)?.name}'${below > 0 ? ` and the ${below} below` : ''} ${below > 0 ? 'are' : 'is'} deleted. The browser's Back brings ${below > 0 ? 'them' : 'it'} back.`);
  }

  /** @param {number} id Of the column to change places with the main trace. */
  function makeMain(id) {
    const patch = swapped(store.get(), id);
    if (!patch?.request) return;
    store.set({columns: patch.columns});
    ask(patch.request, viewOf(store.get()), {keep: true}, patch.tree);
  }

  /**
   * The corrupted run of a map with the patch of one cell, as a branch and as the main trace.
   *
   * @param {PatchAsked} asked
   * @param {PatchRow} row
   * @param {number} step
   */
  function forkPatched(asked, row, step) {
    const found = patchedFork(store.get(), asked, row, step);
    if (typeof found === 'string') {
      notices.notify('warn', found);
      return;
    }
    const {request, tree, ...beside} = found;
    // On this episode the map cannot be asked for again, so a link does not say that it is there.
    store.set({...beside, patching: null, step, sought: null, playing: false});
    ask(request, viewOf(store.get()), {keep: true}, tree);
  }

  /** Makes the changes that were refused, whatever constraints they leave. */
  function interveneAnyway() {
    const {refused} = store.get().trace;
    if (!refused) return;
    const {request, tree} = refused;
    const free = tree.shown === null ? tree : freed(tree, tree.shown, true);
    ask({...request, leave_constraints: true}, viewOf(store.get()), {keep: true}, free);
  }

  /** Forgets what was refused. */
  function dismissRefusal() {
    store.set({trace: {...store.get().trace, refused: null}});
  }

  function retry() {
    if (store.get().offline) void connection.look();
    else askAgain();
  }

  return {
    start, openPlace, chooseCheckpoint, chooseMoment, runs, chooseTask, useTrainedTask, change, intervene, interveneAnyway,
    edit, takeBack, allow, fork, showBranch, renameBranch, deleteBranch, makeMain, forkPatched, dismissRefusal, retry, importAgain, upload, remove, dismissUpload,
    notify: notices.notify, dismiss: notices.dismiss, hold: notices.hold, letGo: notices.letGo,
  };
}

/**
 * @param {TaskInfo[]} tasks
 * @param {Summary} checkpoint
 * @returns {TaskSettings|null} The task to show it on; a recording shows what it recorded.
 */
function taskFor(tasks, checkpoint) {
  return checkpoint.source === 'recorded' ? null : startingTask(tasks, checkpoint);
}

/** @typedef {ReturnType<typeof createActions>} Actions */
