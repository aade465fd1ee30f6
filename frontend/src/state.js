// The types of the page's state, and the state it starts with.
// Names follow the wire: JSON, Python and this page share snake_case for everything that travels.

import {NO_BRANCHES} from './branches/tree.js';

/**
 * @typedef {{code: string, message: string, field?: string|null, status?: number, questions?: Question[]|null}} Failure
 *
 * @typedef {Record<string, unknown> & {
 *   input_size: number, output_size: number, memory_size: number, word_size: number,
 *   read_heads: number, write_heads: number, shift_range: number, controller: string,
 *   controller_size: number, controller_layers: number
 * }} MachineConfig
 *
 * @typedef {{name: string} & Record<string, unknown>} TaskSettings
 *
 * @typedef {Record<'diagonal'|'content_jump'|'converged', number|null>} Marks The iterations of a training at which each was
 *   first measured; null: never.
 *
 * @typedef {object} Summary One checkpoint in the list.
 * @property {string} id
 * @property {string} name
 * @property {'shipped'|'uploaded'|'trained'|'recorded'} source Recorded: a trace that another program wrote; it has no machine.
 * @property {number} bytes
 * @property {number} parameters
 * @property {MachineConfig} config
 * @property {TaskSettings|null} task
 * @property {{iterations: number, converged_at: number|null, marks?: Marks|null}|null} training Older files have no marks.
 * @property {Record<string, unknown>|null} results
 * @property {string[]} warnings
 * @property {number[]} series The iterations N of its training for which there is a checkpoint id.N, ascending.
 *
 * @typedef {object} Choice One open choice of the machine: what this checkpoint does, what the paper says.
 * @property {string} choice
 * @property {string} description
 * @property {string} value
 * @property {string|null} words The value in words; null where its name is plain.
 * @property {string|null} paper Null where the paper leaves it open.
 * @property {boolean} deviates
 * @property {string[]} alternatives The other values that this version can compute.
 *
 * @typedef {Summary & {card: string, choices: Choice[], draws_fresh: boolean, why_eager: string|null, imported: Origin|null,
 *   importable_again: boolean}} Detail `draws_fresh`: the state before step 1 depends on a trace's initial_seed;
 *   `why_eager`: one sentence why the compiled core cannot compute it, null if it can once it is ready.
 *
 * @typedef {object} Origin What the file of another program turned out to be.
 * @property {string} container
 * @property {string} importer
 * @property {string} title The program that wrote it.
 * @property {string} variant
 * @property {string} variant_title
 * @property {string} reason Why this variant.
 * @property {'float32'|'float64'} dtype
 * @property {string[]} inferred
 * @property {string[]} assumed
 * @property {string[]} warnings
 * @property {(Question & {answer: number})[]} questions
 * @property {{variant: string, title: string}[]} variants
 * @property {Encoding|null} encoding
 * @property {Encoding[]} encodings
 * @property {{variant: string, encoding: string, loss: number|null, wrong: number, sequences: number}[]} ranking
 * @property {Wishes} wishes
 *
 * @typedef {{name: string, title: string, layout: string, settings: TaskSettings}} Encoding
 *
 * @typedef {{name: string, text: string, default: number|null, minimum: number, maximum: number}} Question
 *
 * @typedef {object} Wishes What a person decides about an import; null leaves it to the file.
 * @property {string|null} [importer]
 * @property {string|null} [variant]
 * @property {string|null} [encoding]
 * @property {Record<string, number>} [answers]
 * @property {Record<string, unknown>} [choices]
 *
 * @typedef {object} TaskInfo
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {JsonSchema} settings_schema
 * @property {TaskSettings} defaults
 * @property {string[]} input_channels
 * @property {string[]} output_channels
 * @property {string[]} phases
 *
 * @typedef {{[key: string]: unknown, type?: string, title?: string, description?: string,
 *   minimum?: number, maximum?: number, exclusiveMinimum?: number, exclusiveMaximum?: number,
 *   const?: unknown, enum?: unknown[], default?: unknown, properties?: Record<string, JsonSchema>,
 *   prefixItems?: JsonSchema[], items?: JsonSchema, anyOf?: JsonSchema[], $ref?: string,
 *   $defs?: Record<string, JsonSchema>}} JsonSchema
 *
 * @typedef {object} TraceRequest What the trace on screen was asked with. `task` null: the checkpoint's own.
 * @property {string} checkpoint
 * @property {TaskSettings|null} task
 * @property {number} seed
 * @property {number} initial_seed Decides what a machine draws anew before step 1.
 * @property {number[][]|null} inputs Rows that a person typed, instead of an episode of the task.
 * @property {string} mode Name of an addressing mode; `full` changes nothing.
 * @property {Intervention[]} interventions What a person changed, after what the mode changes.
 * @property {boolean} leave_constraints Whether the changes may leave the constraints of what they change.
 * @property {Record<string, Source>} [sources] Other runs, by name, from which interventions take; left out if none does.
 *
 * @typedef {object} Source A run from which interventions take; what it does not say is as in the request that has it.
 * @property {string} checkpoint
 * @property {number|null} seed Of its episode, drawn anew; null: the same episode.
 * @property {string} mode
 * @property {Intervention[]} interventions None of them takes.
 * @property {boolean} leave_constraints
 *
 * @typedef {object} MetricRow One measurement on a run's fixed sequences.
 * @property {number} iteration
 * @property {number} sequences
 * @property {number} loss_bits
 * @property {number} wrong_bits
 * @property {number} metric
 *
 * @typedef {object} RunInfo One training run; its checkpoint has the same id, and id.N is that after N iterations.
 * @property {string} id
 * @property {string} name
 * @property {{task: TaskSettings, config: MachineConfig, recipe: Record<string, unknown>, seed: number,
 *   memory: boolean}} plan `memory` false: a controller alone.
 * @property {'queued'|'running'|'paused'|'stopped'|'finished'|'failed'} status
 * @property {string|null} message
 * @property {number} created
 * @property {number|null} place
 * @property {{iteration: number, last_iteration: number, marks: Marks,
 *   live: number|null,
 *   loss_bits: number|null, row: MetricRow|null}|null} progress
 * @property {number[]} series
 * @property {boolean} checkpoint
 * @property {'compiled'|'eager'|null} [core] What computes it; left out or null before that is known.
 * @property {string|null} [why_eager] One sentence why not the compiled core.
 *
 * @typedef {{name: string, task: TaskSettings, machine: Record<string, unknown>, recipe: Record<string, unknown>,
 *   seed: number}} RunRequest
 *
 * @typedef {object} TrainingOptions
 * @property {JsonSchema} machine_schema
 * @property {JsonSchema} recipe_schema
 * @property {{task: string, controller: string, machine: Record<string, unknown>, recipe: Record<string, unknown>}[]} best_known
 * @property {Record<string, Record<string, string>>} words For a field of the machine, what each alternative is in words.
 * @property {Record<string, Record<string, string[]>>} matters Fields of the machine that matter only where another has one
 *   of these values.
 * @property {Record<string, string[]>} growable For each task, the settings that a recipe may let grow.
 *
 * @typedef {{name: string, axes: string[]}} FieldDeclaration
 * @typedef {{name: string, kind: 'read'|'write', same_as: number|null}} Head `same_as`: the index of the read head that
 *   this write head is, where one head both reads and writes.
 *
 * @typedef {object} Intervention One change to what a machine computes; null: all of them, or not needed.
 * @property {string} quantity
 * @property {'set'|'scale'|'add'|'take'|'harden'|'one_hot'|'stage'} operation
 * @property {string[]|null} [heads] Names of heads.
 * @property {[number, number]|null} [steps] From this step until before that one, the first being 0.
 * @property {number|null} [location]
 * @property {number|null} [word]
 * @property {number|null} [shift] One of the header's shifts, not an index.
 * @property {number|null} [channel]
 * @property {number|number[]|null} [value]
 * @property {string|null} [source] For take: the name of another trace.
 * @property {number} [offset] For take: how many steps later the source is read.
 * @property {string|null} [stage] For stage: the earlier stage that the weighting becomes.
 *
 * @typedef {{name: string, title: string, definition: string, equation: string, interventions: Intervention[]}} Mode An
 *   addressing mode; `equation` is empty where nothing is changed.
 *
 * @typedef {{step: number, head: string|null, quantity: string, value: number|null, rule: string}} Violation
 *
 * @typedef {object} TraceHeader The first frame of a trace stream; server/WIRE.md describes it.
 * @property {'ntm-scope-trace'} format
 * @property {number} version
 * @property {'float32'|'float64'} dtype
 * @property {number} steps
 * @property {string|null} checkpoint
 * @property {number|null} seed
 * @property {number|null} initial_seed Seed of what the machine drew anew before step 1; null if it draws nothing.
 * @property {string[]} initial_given Parts of the state before step 1 that were given.
 * @property {TaskSettings|null} task
 * @property {string|null} task_note
 * @property {MachineConfig} config
 * @property {string[]} warnings
 * @property {string[]} input_channels
 * @property {string[]} output_channels
 * @property {string[]} phases
 * @property {Head[]} heads Read heads first, then write heads.
 * @property {number[]} shifts Offset of each entry of the shift axis.
 * @property {string} [mode] The addressing mode that was asked for; `full` changes nothing.
 * @property {Intervention[]} [interventions] All changes to what the machine computed, those of the mode first.
 * @property {boolean} [leave_constraints] Whether those may leave the constraints of head parameters and weightings.
 * @property {'compiled'|'eager'} [core] What computed the numbers; `eager`, PyTorch step by step, where it is left out.
 * @property {'current'|'previous'} acting_weighting Whose weighting reads and writes in step t: of t, or of t − 1.
 * @property {Record<string, number>} axes Length of each named axis.
 * @property {{episode: FieldDeclaration[], initial: FieldDeclaration[], step: FieldDeclaration[]}} fields
 * @property {Record<string, string>} coding The rule by which each coded step field is sent.
 * @property {string} [run] Name of the run: streams of the same name hold the same numbers.
 * @property {boolean} [kept] Whether the whole run was known when the stream began.
 * @property {('found'|'left'|null)[]} seen_memory For each head the memory that it addresses: M_{t-1}, M_t, or another.
 *
 * @typedef {object} TraceEnd
 * @property {number|null} wrong_bits
 * @property {number|null} loss_bits
 * @property {number} seconds
 * @property {Violation|null} [violation] The first constraint that an intervention left.
 *
 * @typedef {object} TraceState
 * @property {'empty'|'pending'|'streaming'|'ready'|'failed'} status
 * @property {import('./trace_data.js').TraceData|null} data
 * @property {number} received Whole steps that `data` holds so far, without those ahead.
 * @property {Failure|null} error
 * @property {TraceEnd|null} end
 * @property {{request: TraceRequest, tree: import('./branches/tree.js').Tree, error: Failure}|null} refused The changed run
 *   that the server refused last, with the branches as they would be, while this trace stayed.
 * @property {number|null} retry_at Date.now() of the next try while a busy server is waited for.
 *
 * @typedef {Record<'time'|'location'|'word', [number, number]|null>} Zoom Linked axis ranges of all plots, null for the
 *   whole axis: time in t = step + 1, location and word as indices; fractional.
 *
 * @typedef {{id: number, level: 'info'|'warn'|'error', text: string}} Notice
 *
 * @typedef {object} UploadState
 * @property {'sending'|'checking'|'asking'|'failed'} status
 * @property {File} file
 * @property {string} name
 * @property {number} sent Bytes sent so far.
 * @property {number} total Bytes in the file.
 * @property {Failure|null} error
 */

/**
 * @template T
 * @typedef {{status: 'pending'} | {status: 'ready', value: T} | {status: 'failed', error: Failure}} Loading
 */

/**
 * @typedef {object} State Everything transient on the page.
 * @property {Summary[]} checkpoints
 * @property {TaskInfo[]} tasks
 * @property {Mode[]} modes The first changes nothing.
 * @property {Loading<Detail>|null} detail The chosen checkpoint's card and open choices.
 * @property {RunInfo[]|null} runs The newest first; null until the server has told.
 * @property {TraceRequest|null} request
 * @property {import('./branches/tree.js').Tree} tree Runs that were forked from others.
 * @property {TraceState} trace
 * @property {number} step Row of the one cursor; the screen says t = step + 1.
 * @property {number|null} sought Row on which the cursor is to stand once that has arrived; null: it stands where it is to.
 * @property {number} head Index on the head axis.
 * @property {number|null} pinned Step to compare with.
 * @property {boolean} diff Memory and weightings show the difference to the pinned step.
 * @property {boolean} playing
 * @property {number} speed 1 = 10 steps a second.
 * @property {[number, number]|null} loop First and last row of the loop region.
 * @property {'light'|'dark'|'auto'} theme What was asked for.
 * @property {boolean} dark What is on screen.
 * @property {{weighting: 'fixed'|'log', memory: 'auto'|'fixed', key_strength: 'linear'|'log'}} scale
 * @property {'all'|'output'|'target'|'error'} output_view What the output plot shows.
 * @property {Zoom} zoom
 * @property {import('./compare/columns.js').Column[]} columns Other traces beside the main one.
 * @property {import('./compare/columns.js').CompareView} compare
 * @property {import('./patching/asked.js').PatchView|null} patching What was patched last; null: nothing yet.
 * @property {{text: string}|null} hover
 * @property {Notice[]} notices
 * @property {boolean} offline The server did not answer the last request.
 * @property {UploadState|null} upload
 */

/** @type {TraceState} */
export const EMPTY_TRACE = Object.freeze({
  status: 'empty', data: null, received: 0, error: null, end: null, refused: null, retry_at: null,
});

/** Steps a second at speed 1. */
export const STEPS_PER_SECOND = 10;

/** Speeds of the keys 1 to 9. */
export const SPEEDS = Object.freeze([0.25, 0.5, 1, 2, 4, 6, 10, 20, 30]);

/** @type {State['scale']} */
export const DEFAULT_SCALE = Object.freeze({weighting: 'fixed', memory: 'auto', key_strength: 'linear'});

/** @type {State['compare']} */
export const DEFAULT_COMPARE = Object.freeze({align: 'step', phase: '', scales: 'shared', rows: 'matched', delta: 'B', stages: 'closed'});

/** @type {Zoom} */
export const NO_ZOOM = Object.freeze({time: null, location: null, word: null});

/** @returns {State} The state before anything has been asked of the server. */
export function initialState() {
  return {
    checkpoints: [],
    tasks: [],
    modes: [],
    detail: null,
    runs: null,
    request: null,
    tree: NO_BRANCHES,
    trace: EMPTY_TRACE,
    step: 0,
    sought: null,
    head: 0,
    pinned: null,
    diff: false,
    playing: false,
    speed: 1,
    loop: null,
    theme: 'auto',
    dark: false,
    scale: DEFAULT_SCALE,
    output_view: 'all',
    zoom: NO_ZOOM,
    columns: [],
    compare: DEFAULT_COMPARE,
    patching: null,
    hover: null,
    notices: [],
    offline: false,
    upload: null,
  };
}
