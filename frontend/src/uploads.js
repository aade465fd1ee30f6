/** @import {Api} from './api.js' */
/** @import {Connection} from './connection.js' */
/** @import {Notices} from './notices.js' */
/** @import {Summary, Wishes} from './state.js' */
/** @import {Store} from './store.js' */
import {ApiError} from './request.js';
import {failureFrom} from './failure.js';

/**
 * Adds checkpoints of one's own to the list, and takes them away.
 *
 * @param {object} parts
 * @param {Store} parts.store
 * @param {Api} parts.api
 * @param {Notices} parts.notices
 * @param {Connection} parts.connection
 * @param {(checkpoint: Summary) => void} parts.choose
 * @param {AbortSignal} parts.signal
 */
export function createUploads({store, api, notices, connection, choose, signal}) {
  /**
   * A server that refuses a large body may hang up before it can say why; so the page asks for the limit first.
   *
   * @param {File} file
   */
  async function refuseTooLarge({size}) {
    const {limits: {max_upload_bytes: limit}} = await api.version(signal);
    if (size > limit) throw new ApiError({code: 'too_large', message: `it has ${size} bytes, and this server takes up to ${limit}`, status: 413});
  }

  /**
   * @param {File} file
   * @param {Wishes|null} [wishes]
   */
  async function upload(file, wishes = null) {
    const entry = {file, name: file.name, sent: 0, total: file.size, error: null};
    store.set({upload: {...entry, status: 'sending'}});
    try {
      await refuseTooLarge(file);
      const added = await api.upload(file, wishes, (sent, total) => {
        store.set({upload: {...entry, sent, total, status: sent < total ? 'sending' : 'checking'}});
      }, signal);
      const others = store.get().checkpoints.filter(({id}) => id !== added.id);
      store.set({upload: null, checkpoints: [...others, added]});
      notices.notify('info', `'${added.name}' is uploaded.`);
      choose(added);
    } catch (error) {
      if (signal.aborted) return;
      const failure = failureFrom(error);
      store.set({upload: {...entry, status: failure.questions ? 'asking' : 'failed', error: failure}});
      connection.failed(error);
    }
  }

  /** @param {string} id */
  async function remove(id) {
    const name = store.get().checkpoints.find((one) => one.id === id)?.name ?? id;
    try {
      await api.remove(id, signal);
    } catch (error) {
      const goneAlready = error instanceof ApiError && error.status === 404;
      if (!goneAlready) {
        notices.notify('error', `'${name}' was not deleted: ${failureFrom(error).message}`);
        connection.failed(error);
        return;
      }
    }
    const rest = store.get().checkpoints.filter((one) => one.id !== id);
    store.set({checkpoints: rest});
    notices.notify('info', `'${name}' is deleted.`);
    if (store.get().request?.checkpoint === id && rest[0]) choose(rest[0]);
  }

  return {upload, remove, dismissUpload: () => store.set({upload: null})};
}
