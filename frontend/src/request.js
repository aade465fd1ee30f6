// Requests to the server. Every failure is an ApiError whose message a person can read.

/** @import {Failure} from './state.js' */

/** A request that failed: `status` 0 if the server did not answer at all. */
export class ApiError extends Error {
  /**
   * @param {Failure} failure
   * @param {number|null} [retryAfter] Seconds.
   */
  constructor({code, message, field = null, status = 0, questions = null}, retryAfter = null) {
    super(message);
    this.questions = questions;
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
export function unreachable() {
  return new ApiError({code: 'server_gone', message: 'The server does not answer.'});
}

/**
 * @param {number} status
 * @param {string} body
 * @param {string|null} retry
 * @returns {ApiError} In the server's own words, if it gave any.
 */
export function failureOf(status, body, retry) {
  try {
    const {code, message, field, questions} = JSON.parse(body).error;
    if (typeof code === 'string' && typeof message === 'string') {
      return new ApiError({code, message, field: field ?? null, status, questions: questions ?? null}, retryAfter(retry));
    }
  } catch {
    // Not our server's error format: a proxy, or a crash. The status is all there is.
  }
  return new ApiError({code: 'http_error', message: `The server answered with status ${status}.`, status}, retryAfter(retry));
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
 * @param {typeof fetch} fetcher
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<Response>} An answer with status 2xx.
 */
export async function request(fetcher, path, init) {
  const response = await fetcher(path, init).catch((error) => {
    throw init?.signal?.aborted ? error : unreachable();
  });
  if (response.ok) return response;
  throw failureOf(response.status, await response.text(), response.headers.get('Retry-After'));
}
