// Failures as they go from one thread to another, which loses the classes of errors.

/** @import {Failure} from '../state.js' */
import {ApiError} from '../request.js';
import {WireError} from '../wire_error.js';

/** @typedef {{api?: Failure, retryAfter?: number|null, wire?: string, code?: string, other?: string}} PlainFailure */

/**
 * @param {unknown} error
 * @returns {PlainFailure}
 */
export function plainFailure(error) {
  if (error instanceof ApiError) {
    const {code, message, field, status, questions, retryAfter} = error;
    return {api: {code, message, field, status, questions}, retryAfter};
  }
  if (error instanceof WireError) return {wire: error.message, code: error.code};
  return {other: error instanceof Error ? error.message : String(error)};
}

/**
 * @param {PlainFailure} failure
 * @returns {Error} As it was in the other thread.
 */
export function errorFrom({api, retryAfter, wire, code, other}) {
  if (api) return new ApiError(api, retryAfter);
  return wire === undefined ? new Error(other) : new WireError(wire, code);
}
