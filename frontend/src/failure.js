/** @import {Failure} from './state.js' */
import {ApiError} from './request.js';

/**
 * @param {unknown} error
 * @returns {Failure} What the state keeps of it.
 */
export function failureFrom(error) {
  if (error instanceof ApiError) {
    const {code, message: text, field, status, questions} = error;
    return {code, message: text, field, status, questions};
  }
  const {message, code} = /** @type {{message?: string, code?: unknown}} */ (error ?? {});
  return {code: typeof code === 'string' ? code : 'page_error', message: message ?? String(error)};
}
