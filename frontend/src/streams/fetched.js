/** @import {Frame} from '../wire.js' */
import {ApiError, request, unreachable} from '../request.js';
import {framesOf} from '../wire.js';

/** @typedef {(path: string, init: RequestInit & {signal: AbortSignal}) => AsyncGenerator<Frame[]>} Frames How a trace stream is asked for. */

/**
 * The frames of a trace stream as they arrive.
 *
 * @param {typeof fetch} fetcher
 * @param {string} path
 * @param {RequestInit & {signal: AbortSignal}} init
 * @returns {AsyncGenerator<Frame[]>} ApiError or WireError if it does not come whole.
 */
export async function* fetched(fetcher, path, init) {
  const response = await request(fetcher, path, init);
  if (!response.body) throw new ApiError({code: 'bad_stream', message: 'The answer has no body.', status: response.status});
  try {
    yield* framesOf(response.body);
  } catch (error) {
    throw error instanceof TypeError && !init.signal.aborted ? unreachable() : error;
  }
}
