// The whole view as readable parameters in the URL's hash, and back. Nothing in a hash is trusted.

/** @import {Intervention, Source, State, TaskSettings, TraceRequest} from './state.js' */
import {COMPARE_READERS, compareParts, noColumns, withoutStrangers} from './compare/link.js';
import {interventionsFrom, sourcesFrom, UNCHANGED} from './interventions.js';
import {DEFAULT_SCALE, NO_ZOOM} from './state.js';

/**
 * What a hash can say; what it does not say keeps its usual value.
 * @typedef {object} Place
 * @property {{checkpoint: string|null, task: TaskSettings|null, seed: number, initial_seed: number,
 *   inputs: number[][]|null, mode: string, interventions: Intervention[], leave_constraints: boolean,
 *   sources?: Record<string, Source>}} request
 * @property {{step: number, head: number, pinned: number|null, diff: boolean, speed: number,
 *   loop: [number, number]|null, scale: State['scale'], output_view: State['output_view'], zoom: State['zoom']}} view
 * @property {import('./compare/link.js').ComparePlace} compare
 * @property {string[]} problems One sentence for each part that could not be used.
 */

/** @type {(keyof State['scale'])[]} */
const SCALES = ['weighting', 'memory', 'key_strength'];
/** @type {(keyof State['zoom'])[]} */
const ZOOMS = ['time', 'location', 'word'];

const MAX_HASH = 2_000_000;
const MAX_CELLS = 1_000_000;
const MAX_STEP = 1_000_000;
const MAX_PROBLEMS = 3;
const MODE = /^[a-z_]{1,40}$/;
const ID = /^[\w.-]{1,100}$/;

/**
 * @param {State} state
 * @returns {string} The hash, with its '#'; empty without a request.
 */
export function toHash(state) {
  const {request, tree, step, sought, head, pinned, diff, loop, speed, scale, output_view, zoom} = state;
  if (!request) return '';
  const parts = [`checkpoint=${encode(request.checkpoint)}`];
  if (request.task) parts.push(`task=${encode(readableJson(request.task))}`);
  parts.push(`seed=${request.seed}`);
  if (request.initial_seed !== 0) parts.push(`start=${request.initial_seed}`);
  if (request.inputs) parts.push(`inputs=${packRows(request.inputs)}`);
  if (tree.shown === null) parts.push(...changeParts(request));
  parts.push(`t=${(sought ?? step) + 1}`, `head=${head}`);
  if (pinned !== null) parts.push(`pin=${pinned + 1}`);
  if (diff) parts.push('diff=1');
  if (loop) parts.push(`loop=${loop[0] + 1}-${loop[1] + 1}`);
  if (speed !== 1) parts.push(`speed=${speed}`);
  for (const name of SCALES) if (scale[name] !== DEFAULT_SCALE[name]) parts.push(`${name}=${scale[name]}`);
  if (output_view !== 'all') parts.push(`output=${output_view}`);
  for (const axis of ZOOMS) {
    const range = zoom[axis];
    if (range) parts.push(`zoom_${axis}=${range.map((end) => Number(end.toFixed(2))).join(',')}`);
  }
  for (const [name, value] of Object.entries(compareParts(state))) parts.push(`${name}=${encode(value)}`);
  return `#${parts.join('&')}`;
}

/**
 * @param {TraceRequest} request
 * @returns {string[]} What is changed; of a branch, the branches say it.
 */
function changeParts({mode, interventions, leave_constraints, sources}) {
  return [
    ...(mode === UNCHANGED.mode ? [] : [`mode=${encode(mode)}`]),
    ...(interventions.length > 0 ? [`edits=${encode(readableJson(interventions))}`] : []),
    ...(sources ? [`sources=${encode(readableJson(sources))}`] : []),
    ...(leave_constraints ? ['unconstrained=1'] : []),
  ];
}

/**
 * @param {string} text
 * @returns {string} Percent-encoded, but for what a fragment may hold and a person wants to read.
 */
function encode(text) {
  return encodeURIComponent(text).replace(/%(3A|2C|5B|5D|7B|7D)/g, (code) => decodeURIComponent(code));
}

/**
 * @param {TaskSettings|Intervention[]|Record<string, Source>} value
 * @returns {string} JSON with ' for ", which a URL shows as it is; plain JSON where a ' occurs in it.
 */
function readableJson(value) {
  const json = JSON.stringify(value);
  return json.includes("'") ? json : json.replaceAll('"', "'");
}

/**
 * @param {string} hash With or without its '#'.
 * @returns {Place}
 */
export function fromHash(hash) {
  /** @type {Place} */
  const place = {
    request: {checkpoint: null, task: null, seed: 0, initial_seed: 0, inputs: null, ...UNCHANGED},
    view: {
      step: 0, head: 0, pinned: null, diff: false, speed: 1, loop: null, scale: DEFAULT_SCALE, output_view: 'all', zoom: NO_ZOOM,
    },
    compare: noColumns(),
    problems: [],
  };
  if (hash.length > MAX_HASH) {
    place.problems.push(`The link has ${hash.length} characters; at most ${MAX_HASH} are read, so it was not used.`);
    return place;
  }
  for (const [name, value] of pairs(hash.replace(/^#/, ''))) {
    const read = Object.hasOwn(READERS, name) ? READERS[name] : null;
    if (!read) place.problems.push(`The link has '${short(name)}', which this page does not know.`);
    else if (value === null || !read(place, value)) {
      place.problems.push(`The link says ${name} = '${short(value ?? '?')}', which is not a valid value and was not used.`);
    }
  }
  place.problems.push(...withoutStrangers(place.compare));
  const more = place.problems.length - MAX_PROBLEMS;
  if (more > 0) place.problems.splice(MAX_PROBLEMS, more, `And ${more} more parts of the link were not used.`);
  return place;
}

/**
 * @param {Pick<Place['view'], 'step'|'head'|'pinned'|'loop'>} view What a link says.
 * @param {Pick<import('./state.js').TraceHeader, 'steps'|'heads'>} header Of the run that it shows.
 * @returns {string[]} One sentence for each part that is beyond the run.
 */
export function beyond({step, head, pinned, loop}, {steps, heads}) {
  const ends = `this run ends at t = ${steps}`;
  return [
    ...(step < steps ? [] : [`The link says t = ${step + 1}, but ${ends}.`]),
    ...(head < heads.length ? [] : [`The link says head = ${head}, but the last of this machine is ${heads.length - 1}.`]),
    ...(pinned === null || pinned < steps ? [] : [`The link says pin = ${pinned + 1}, but ${ends}: nothing is pinned.`]),
    ...(loop === null || loop[1] < steps ? [] : [`The link says loop = ${loop[0] + 1}-${loop[1] + 1}, but ${ends}.`]),
  ];
}

/**
 * @param {string} text
 * @returns {[string, string|null][]} Decoded names and values; null for a value that cannot be decoded.
 */
function pairs(text) {
  return text.split('&').filter(Boolean).map((part) => {
    const equals = part.indexOf('=');
    const [name, value] = equals < 0 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
    try {
      return [name, decodeURIComponent(value)];
    } catch {
      return [name, null];
    }
  });
}

/** @param {string} text */
function short(text) {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** @type {Record<string, (place: Place, value: string) => boolean>} Each says whether it could use the value. */
const READERS = {
  checkpoint({request}, value) {
    if (!ID.test(value)) return false;
    request.checkpoint = value;
    return true;
  },
  task({request}, value) {
    request.task = taskFrom(value);
    return request.task !== null;
  },
  seed({request}, value) {
    const seed = whole(value, 0, 2 ** 32 - 1);
    request.seed = seed ?? 0;
    return seed !== null;
  },
  start({request}, value) {
    const seed = whole(value, 0, 2 ** 32 - 1);
    request.initial_seed = seed ?? 0;
    return seed !== null;
  },
  inputs({request}, value) {
    request.inputs = unpackRows(value);
    return request.inputs !== null;
  },
  mode({request}, value) {
    if (!MODE.test(value)) return false;
    request.mode = value;
    return true;
  },
  sources({request}, value) {
    const sources = sourcesFrom(parsed(value));
    if (sources) request.sources = sources;
    return sources !== null;
  },
  edits({request}, value) {
    const edits = interventionsFrom(parsed(value));
    request.interventions = edits ?? [];
    return edits !== null;
  },
  unconstrained({request}, value) {
    request.leave_constraints = value === '1';
    return value === '0' || value === '1';
  },
  t({view}, value) {
    const t = whole(value, 1, MAX_STEP);
    view.step = (t ?? 1) - 1;
    return t !== null;
  },
  head({view}, value) {
    const head = whole(value, 0, 1000);
    view.head = head ?? 0;
    return head !== null;
  },
  pin({view}, value) {
    const t = whole(value, 1, MAX_STEP);
    view.pinned = t === null ? null : t - 1;
    return t !== null;
  },
  diff({view}, value) {
    view.diff = value === '1';
    return value === '0' || value === '1';
  },
  loop({view}, value) {
    const [start, stop, ...rest] = value.split('-').map((end) => whole(end, 1, MAX_STEP));
    if (start === null || stop === null || stop === undefined || rest.length > 0 || start > stop) return false;
    view.loop = [start - 1, stop - 1];
    return true;
  },
  speed({view}, value) {
    const speed = Number(value);
    if (value.trim() === '' || !(speed >= 0.25 && speed <= 30)) return false;
    view.speed = speed;
    return true;
  },
  weighting({view}, value) {
    if (value !== 'fixed' && value !== 'log') return false;
    view.scale = {...view.scale, weighting: value};
    return true;
  },
  memory({view}, value) {
    if (value !== 'auto' && value !== 'fixed') return false;
    view.scale = {...view.scale, memory: value};
    return true;
  },
  key_strength({view}, value) {
    if (value !== 'linear' && value !== 'log') return false;
    view.scale = {...view.scale, key_strength: value};
    return true;
  },
  output({view}, value) {
    if (value !== 'all' && value !== 'output' && value !== 'target' && value !== 'error') return false;
    view.output_view = value;
    return true;
  },
  zoom_time: ({view}, value) => readZoom(view, 'time', value),
  zoom_location: ({view}, value) => readZoom(view, 'location', value),
  zoom_word: ({view}, value) => readZoom(view, 'word', value),
  ...Object.fromEntries(Object.entries(COMPARE_READERS).map(([name, read]) => [
    name, (/** @type {Place} */ {compare}, /** @type {string} */ value) => read(compare, value)])),
};

/**
 * @param {Place['view']} view
 * @param {keyof State['zoom']} axis
 * @param {string} value Two numbers.
 */
function readZoom(view, axis, value) {
  const ends = value.split(',').map((end) => (/^-?\d{1,7}(\.\d{1,6})?$/.test(end) ? Number(end) : NaN));
  const [low, high] = ends.toSorted((a, b) => a - b);  // links of axes that run down had them the other way round
  if (!(low < high) || ends.length > 2 || ends.some(Number.isNaN)) return false;
  view.zoom = {...view.zoom, [axis]: [low, high]};
  return true;
}

/**
 * @param {string} text
 * @param {number} low
 * @param {number} high
 */
function whole(text, low, high) {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  return value >= low && value <= high ? value : null;
}

/**
 * @param {string} text JSON, or what `readableJson` makes of it, of an object with a name; the server checks the rest.
 * @returns {TaskSettings|null}
 */
function taskFrom(text) {
  const task = parsed(text);
  const named = typeof task === 'object' && task !== null && 'name' in task && typeof task.name === 'string';
  return named ? /** @type {TaskSettings} */ (task) : null;
}

/**
 * @param {string} text JSON, or what `readableJson` makes of it.
 * @returns {unknown} Undefined if it is neither.
 */
function parsed(text) {
  try {
    return JSON.parse(text.includes('"') ? text : text.replaceAll("'", '"'));
  } catch {
    return undefined;
  }
}

/**
 * Rows in few characters: '41x9.' and base64url of packed bits (first bit highest) if all are 0 or 1, else '41x9f.'
 * and base64url of little-endian float32, which is what the machine is given anyway.
 *
 * @param {number[][]} rows All of one length.
 * @returns {string}
 */
export function packRows(rows) {
  const values = rows.flat();
  const size = `${rows.length}x${rows[0]?.length ?? 0}`;
  if (!values.every((value) => value === 0 || value === 1)) {
    return `${size}f.${base64url(new Uint8Array(new Float32Array(values).buffer))}`;
  }
  const bytes = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((value, at) => {
    bytes[at >> 3] |= value << (7 - (at & 7));
  });
  return `${size}.${base64url(bytes)}`;
}

/**
 * @param {string} text
 * @returns {number[][]|null} Null if it is not what `packRows` makes.
 */
export function unpackRows(text) {
  const [, steps, channels, kind, body] = /^(\d{1,7})x(\d{1,4})(f?)\.([\w-]*)$/.exec(text) ?? [];
  const [rows, columns] = [Number(steps), Number(channels)];
  const cells = rows * columns;
  const bytes = body === undefined ? null : bytesOf(body);
  if (!bytes || !(cells > 0 && cells <= MAX_CELLS)) return null;
  if (bytes.length !== (kind ? 4 * cells : Math.ceil(cells / 8))) return null;
  const values = kind
    ? [...new Float32Array(bytes.buffer)]
    : Array.from({length: cells}, (_, at) => (bytes[at >> 3] >> (7 - (at & 7))) & 1);
  if (!values.every(Number.isFinite)) return null;
  return Array.from({length: rows}, (_, row) => values.slice(row * columns, (row + 1) * columns));
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>|null}
 */
function bytesOf(text) {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
