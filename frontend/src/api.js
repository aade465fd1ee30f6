// The server, as functions. Every failure is an ApiError whose message a person can read.

/** @import {Detail, MachineConfig, MetricRow, Mode, RunInfo, RunRequest, Summary, TaskInfo, TaskSettings, TraceRequest, TrainingOptions, Wishes} from './state.js' */
/** @import {Comparison} from './compare/matching.js' */
/** @import {Metrics, MetricsRequest} from './compare/metrics.js' */
/** @import {PatchMap} from './patching/asked.js' */
/** @import {Frames} from './streams/fetched.js' */
/** @import {TraceReader} from './wire.js' */
import {whileSeen} from './event_stream.js';
import {askedOf} from './interventions.js';
import {jsonLines} from './lines.js';
import {ApiError, failureOf, request as requested, unreachable} from './request.js';
import {fetched} from './streams/fetched.js';
import {readTrace} from './wire.js';

/** Why nothing can be changed that needs another run. */
export const RECORDED = 'Recorded by another program: its machine is not here, so it cannot be run again';

const TRACE_TYPE = 'application/vnd.ntm-scope.trace';

/** @typedef {(progress: {done: number, total: number}) => void} Progress */
/** @typedef {{version: string, plotly: string, limits: Record<string, number>}} Version */

/**
 * @param {string} fileName
 * @returns {string} What the upload is called: the file's name without its ending, as long as the server takes it.
 */
export function uploadName(fileName) {
  return fileName.replace(/\.[a-z]\w{0,11}$/i, '').replace(/\p{Cc}/gu, '').slice(0, 80).trim() || 'upload';
}

/**
 * @param {string} id
 * @returns {boolean} Whether it is a trace that another program recorded, and no checkpoint.
 */
export function isRecording(id) {
  return id.startsWith('trace-');
}

/** @typedef {{id: string, name: string, bytes: number, header: {config: MachineConfig, task: TaskSettings|null, warnings: string[]}}} Recording */

/**
 * @param {Recording} uploaded
 * @returns {Summary}
 */
function recording({id, name, bytes, header: {config, task, warnings}}) {
  return {id, name, source: 'recorded', bytes, parameters: 0, config, task, training: null, results: null, warnings, series: []};
}

/** @typedef {{checkpoints: Summary[], tasks: TaskInfo[], modes: Mode[]}} Lists All checkpoints, then all recordings; tasks; addressing modes. */

/**
 * @param {{checkpoints: {checkpoints: Summary[]}, uploaded_traces: {traces: Recording[]}, tasks: {tasks: TaskInfo[]}, addressing_modes: {modes: Mode[]}}} answers
 *   Of the lists' own addresses, as they come with the page.
 * @returns {Lists}
 */
export function listsOf({checkpoints, uploaded_traces, tasks, addressing_modes}) {
  return {
    checkpoints: [...checkpoints.checkpoints, ...uploaded_traces.traces.map(recording)], tasks: tasks.tasks, modes: addressing_modes.modes,
  };
}

/**
 * @param {TraceRequest} asked
 * @returns {Record<string, unknown>} One of two traces that are compared.
 */
function compared(asked) {
  return isRecording(asked.checkpoint) ? {uploaded_trace: asked.checkpoint} : {trace: askedOf(asked)};
}

/**
 * @param {typeof fetch} [fetcher] A test passes its own.
 * @param {Frames} [framesAt] How trace streams are read: by default in the page's own thread.
 */
export function createApi(
  fetcher = (input, init) => fetch(input, init), framesAt = (path, init) => fetched(fetcher, path, init),
) {
  /** @param {string} path @param {RequestInit} [init] */
  const request = (path, init) => requested(fetcher, path, init);

  /**
   * @param {string} path
   * @param {AbortSignal} signal
   * @returns {Promise<any>}
   */
  const json = async (path, signal) => (await request(path, {signal})).json();

  /**
   * @param {string} path
   * @param {unknown} body
   * @param {AbortSignal} signal
   */
  const post = (path, body, signal) => request(path, {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body), signal,
  });

  /**
   * @param {TraceRequest} asked
   * @param {'stream'|'json'|'npz'} format
   * @returns {[string, RequestInit]} Where a trace is, and how it is asked for.
   */
  const traceAt = (asked, format) => {
    if (isRecording(asked.checkpoint)) return [`/api/uploaded-traces/${encodeURIComponent(asked.checkpoint)}?format=${format}`, {}];
    return [`/api/traces?format=${format}`, {
      method: 'POST',
      headers: {'Content-Type': 'application/json', ...(format === 'stream' ? {Accept: TRACE_TYPE} : {})},
      body: JSON.stringify(askedOf(asked)),
    }];
  };

  /**
   * @param {string} path
   * @param {unknown} asked
   * @param {Progress} onProgress
   * @param {AbortSignal} signal
   * @returns {Promise<any>} The result of work whose progress is told line by line.
   */
  async function told(path, asked, onProgress, signal) {
    const response = await post(path, asked, signal);
    if (!response.body) throw new ApiError({code: 'bad_stream', message: 'The answer has no body.', status: response.status});
    for await (const line of jsonLines(response.body)) {
      if (line.error) throw new ApiError({...line.error, status: response.status});
      if (line.result) return line.result;
      if (line.progress) onProgress(line.progress);
    }
    throw new ApiError({code: 'cut', message: 'The answer was cut before its result.', status: response.status});
  }

  /**
   * XMLHttpRequest, because fetch says nothing of what it has sent.
   *
   * @param {string} path
   * @param {File} file
   * @param {(sent: number, total: number) => void} onProgress
   * @param {AbortSignal} signal
   * @returns {Promise<any>}
   */
  const send = (path, file, onProgress, signal) => new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open('POST', path);
    xhr.setRequestHeader('Content-Type', 'application/octet-stream');
    xhr.upload.addEventListener('progress', ({loaded, total}) => onProgress(loaded, total));
    xhr.addEventListener('load', () => {
      if (xhr.status >= 200 && xhr.status < 300) resolve(JSON.parse(xhr.responseText));
      else reject(failureOf(xhr.status, xhr.responseText, xhr.getResponseHeader('Retry-After')));
    });
    xhr.addEventListener('error', () => reject(unreachable()));
    xhr.addEventListener('abort', () => reject(signal.reason));
    signal.addEventListener('abort', () => xhr.abort(), {once: true});
    xhr.send(file);
  });

  return {
    /** @param {AbortSignal} signal @returns {Promise<Summary[]>} */
    checkpoints: async (signal) => (await json('/api/checkpoints', signal)).checkpoints,

    /** @param {string} id @param {AbortSignal} signal @returns {Promise<Detail>} */
    detail: (id, signal) => json(`/api/checkpoints/${encodeURIComponent(id)}`, signal),

    /** @param {AbortSignal} signal @returns {Promise<Version>} */
    version: (signal) => json('/api/version', signal),

    /** @param {AbortSignal} signal @returns {Promise<Summary[]>} Traces that other programs recorded. */
    recordings: async (signal) => (await json('/api/uploaded-traces', signal)).traces.map(recording),

    /** @param {string} id @param {AbortSignal} signal */
    remove: (id, signal) => request(`/api/${isRecording(id) ? 'uploaded-traces' : 'checkpoints'}/${encodeURIComponent(id)}`, {method: 'DELETE', signal}),

    /**
     * @param {string} id
     * @param {Wishes} wishes
     * @param {AbortSignal} signal
     * @returns {Promise<Detail>} The same file, read another way.
     */
    importAgain: async (id, wishes, signal) => (await post(`/api/checkpoints/${encodeURIComponent(id)}/import`, wishes, signal)).json(),

    /** @param {(runs: RunInfo[]) => void} hear Is told all runs whenever one changes. @param {AbortSignal} signal */
    watchRuns: (hear, signal) => whileSeen('/api/runs/events', ({runs}) => hear(runs), signal),

    /** @param {AbortSignal} signal @returns {Promise<TrainingOptions>} */
    trainingOptions: (signal) => json('/api/runs/options', signal),

    /** @param {RunRequest} asked @param {AbortSignal} signal @returns {Promise<RunInfo>} */
    addRun: async (asked, signal) => (await post('/api/runs', asked, signal)).json(),

    /** @param {string} id @param {'pause'|'resume'|'stop'} action @param {AbortSignal} signal */
    changeRun: (id, action, signal) => post(`/api/runs/${encodeURIComponent(id)}`, {action}, signal),

    /** @param {string} id @param {AbortSignal} signal */
    removeRun: (id, signal) => request(`/api/runs/${encodeURIComponent(id)}`, {method: 'DELETE', signal}),

    /** @param {string} id @param {AbortSignal} signal @returns {Promise<MetricRow[]>} */
    runMetrics: async (id, signal) => (await json(`/api/runs/${encodeURIComponent(id)}/metrics`, signal)).rows,

    /** @param {string} id @param {string} name @param {AbortSignal} signal Copies a run's checkpoint to the uploads. */
    keep: (id, name, signal) => request(`/api/checkpoints/${encodeURIComponent(id)}/keep?name=${encodeURIComponent(name.slice(0, 80))}`, {method: 'POST', signal}),

    /**
     * @param {TraceRequest} asked
     * @param {(reader: TraceReader) => void} onProgress
     * @param {AbortSignal} signal
     * @param {{first: number, count: number}|null} [part] So many steps at most from that one on; null: all.
     * @returns {Promise<TraceReader>} The whole trace, or of a part the trace of its steps.
     */
    async streamTrace(asked, onProgress, signal, part = null) {
      const [path, init] = traceAt(asked, 'stream');
      const query = part ? `&first=${part.first}&count=${part.count}` : '';
      const reader = await readTrace(framesAt(path + query, {...init, signal}), onProgress);
      if (reader.error) throw new ApiError({...reader.error, status: 200});
      return reader;
    },

    /**
     * @param {TraceRequest} a
     * @param {TraceRequest} b
     * @param {number} offset How many steps later b is at the same moment.
     * @param {AbortSignal} signal
     * @returns {Promise<Comparison>} Which rows of B stand for those of A, and where the two part.
     */
    compare: async (a, b, offset, signal) => (await post('/api/comparisons', {a: compared(a), b: compared(b), offset}, signal)).json(),

    /**
     * @param {MetricsRequest} asked
     * @param {Progress} onProgress
     * @param {AbortSignal} signal
     * @returns {Promise<Metrics>} Of many sequences.
     */
    measure: (asked, onProgress, signal) => told('/api/metrics', asked, onProgress, signal),

    /**
     * @param {Record<string, unknown>} asked What `patchBody` makes.
     * @param {Progress} onProgress
     * @param {AbortSignal} signal Whose end closes the connection, at which the server stops.
     * @returns {Promise<PatchMap>} What each patch restores.
     */
    patch: (asked, onProgress, signal) => told('/api/patching', asked, onProgress, signal),

    /**
     * @param {TraceRequest} asked
     * @param {'json'|'npz'} format
     * @param {AbortSignal} signal
     * @returns {Promise<Blob>}
     */
    async downloadTrace(asked, format, signal) {
      const [path, init] = traceAt(asked, format);
      return (await request(path, {...init, signal})).blob();
    },

    /**
     * @param {File} file
     * @param {Wishes|null} wishes
     * @param {(sent: number, total: number) => void} onProgress
     * @param {AbortSignal} signal
     * @returns {Promise<Summary>} A checkpoint, or a recording.
     */
    async upload(file, wishes, onProgress, signal) {
      const named = `name=${encodeURIComponent(uploadName(file.name))}`;
      if (await isTrace(file)) return recording(await send(`/api/uploaded-traces?${named}`, file, onProgress, signal));
      const wished = wishes ? `&wishes=${encodeURIComponent(JSON.stringify(wishes))}` : '';
      return send(`/api/checkpoints?${named}${wished}`, file, onProgress, signal);
    },
  };
}

/** Bytes at the end of an archive in which its directory names what it holds. */
const DIRECTORY = 1 << 16;

/**
 * @param {File} file
 * @returns {Promise<boolean>} Whether it is an archive of numpy's that holds a trace; others hold the arrays of a model.
 */
export async function isTrace(file) {
  if (!/\.npz$/i.test(file.name)) return false;
  return new TextDecoder('latin1').decode(await file.slice(-DIRECTORY).arrayBuffer()).includes('header.npy');
}

/** @typedef {ReturnType<typeof createApi>} Api */
