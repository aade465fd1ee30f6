// The server, as functions. Every failure is an ApiError whose message a person can read.

/** @import {Detail, Summary, TaskInfo, TraceRequest} from './state.js' */
/** @import {TraceReader} from './wire.js' */
import {readTrace, WireError} from './wire.js';

const TRACE_TYPE = 'application/vnd.ntm-scope.trace';

/** @typedef {{version: string, plotly: string, limits: Record<string, number>}} Version */

/** A request that failed: `status` 0 if the server did not answer at all. */
export class ApiError extends Error {
  /**
   * @param {import('./state.js').Failure} failure
   * @param {number|null} [retryAfter] Seconds.
   */
  constructor({code, message, field = null, status = 0}, retryAfter = null) {
    super(message);
    this.code = code;
    this.field = field;
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** @returns {boolean} Whether the server could not be reached. */
  get offline() {
    return this.status === 0;
  }
}

/** @returns {ApiError} */
function unreachable() {
  return new ApiError({code: 'server_gone', message: 'The server does not answer.'});
}

/**
 * @param {string|null} header Retry-After, in seconds.
 * @returns {number|null}
 */
function retryAfter(header) {
  const seconds = Number(header ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

/**
 * @param {number} status
 * @param {string} body
 * @param {string|null} retry
 * @returns {ApiError} In the server's own words, if it gave any.
 */
export function failureOf(status, body, retry) {
  try {
    const {code, message, field} = JSON.parse(body).error;
    if (typeof code === 'string' && typeof message === 'string') {
      return new ApiError({code, message, field: field ?? null, status}, retryAfter(retry));
    }
  } catch {
    // Not our server's error format: a proxy, or a crash. The status is all there is.
  }
  return new ApiError({code: 'http_error', message: `The server answered with status ${status}.`, status}, retryAfter(retry));
}

/**
 * @param {string} fileName
 * @returns {string} What the upload is called: the file's name without its ending, as long as the server takes it.
 */
export function uploadName(fileName) {
  return fileName.replace(/\.safetensors$/i, '').replace(/\p{Cc}/gu, '').slice(0, 80).trim() || 'upload';
}

/**
 * @param {typeof fetch} [fetcher] A test passes its own.
 */
export function createApi(fetcher = (input, init) => fetch(input, init)) {
  /**
   * @param {string} path
   * @param {RequestInit} [init]
   * @returns {Promise<Response>} An answer with status 2xx.
   */
  async function request(path, init) {
    const response = await fetcher(path, init).catch((error) => {
      throw init?.signal?.aborted ? error : unreachable();
    });
    if (response.ok) return response;
    throw failureOf(response.status, await response.text(), response.headers.get('Retry-After'));
  }

  /**
   * @param {string} path
   * @param {AbortSignal} signal
   * @returns {Promise<any>}
   */
  const json = async (path, signal) => (await request(path, {signal})).json();

  /**
   * @param {TraceRequest} asked
   * @param {'stream'|'json'|'npz'} format
   * @param {AbortSignal} signal
   */
  const trace = ({checkpoint, task, seed, inputs}, format, signal) => request(`/api/traces?format=${format}`, {
    method: 'POST',
    headers: {'Content-Type': 'application/json', ...(format === 'stream' ? {Accept: TRACE_TYPE} : {})},
    body: JSON.stringify({checkpoint, task, seed, inputs}),
    signal,
  });

  return {
    /** @param {AbortSignal} signal @returns {Promise<Summary[]>} */
    checkpoints: async (signal) => (await json('/api/checkpoints', signal)).checkpoints,

    /** @param {AbortSignal} signal @returns {Promise<TaskInfo[]>} */
    tasks: async (signal) => (await json('/api/tasks', signal)).tasks,

    /** @param {string} id @param {AbortSignal} signal @returns {Promise<Detail>} */
    detail: (id, signal) => json(`/api/checkpoints/${encodeURIComponent(id)}`, signal),

    /** @param {AbortSignal} signal @returns {Promise<Version>} */
    version: (signal) => json('/api/version', signal),

    /** @param {string} id @param {AbortSignal} signal */
    remove: (id, signal) => request(`/api/checkpoints/${encodeURIComponent(id)}`, {method: 'DELETE', signal}),

    /**
     * @param {TraceRequest} asked
     * @param {(reader: TraceReader) => void} onProgress
     * @param {AbortSignal} signal
     * @returns {Promise<TraceReader>} The whole trace.
     */
    async streamTrace(asked, onProgress, signal) {
      const response = await trace(asked, 'stream', signal);
      if (!response.body) throw new ApiError({code: 'bad_stream', message: 'The answer has no body.', status: response.status});
      try {
        const reader = await readTrace(response.body, onProgress);
        if (reader.error) throw new ApiError({...reader.error, status: response.status});
        return reader;
      } catch (error) {
        if (error instanceof ApiError || error instanceof WireError || signal.aborted) throw error;
        if (error instanceof TypeError) throw unreachable();
        throw error;
      }
    },

    /**
     * @param {TraceRequest} asked
     * @param {'json'|'npz'} format
     * @param {AbortSignal} signal
     * @returns {Promise<Blob>}
     */
    downloadTrace: async (asked, format, signal) => (await trace(asked, format, signal)).blob(),

    /**
     * XMLHttpRequest, because fetch says nothing of what it has sent.
     *
     * @param {File} file
     * @param {(sent: number, total: number) => void} onProgress
     * @param {AbortSignal} signal
     * @returns {Promise<Detail>}
     */
    upload: (file, onProgress, signal) => new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      xhr.open('POST', `/api/checkpoints?name=${encodeURIComponent(uploadName(file.name))}`);
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
    }),
  };
}

/** @typedef {ReturnType<typeof createApi>} Api */
