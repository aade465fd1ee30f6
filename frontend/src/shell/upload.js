// Uploading a checkpoint or a trace: by a button, or by dropping a file anywhere on the page.

/** @import {Actions} from '../actions.js' */
/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
import {keepFocus} from '../focus.js';
import {el, iconButton, replaceChildren} from './dom.js';
import {questionForm} from './origin.js';

/**
 * @param {number} bytes
 * @returns {string}
 */
export function bytesText(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/**
 * @param {HTMLElement} root Where progress and failure show.
 * @param {{store: Store, actions: Actions, signal: AbortSignal}} parts
 * @returns {{chooseFile: () => void}}
 */
export function mountUpload(root, {store, actions, signal}) {
  const input = el('input', {type: 'file', hidden: true, id: 'upload'});
  input.addEventListener('change', () => {
    take(input.files);
    input.value = '';
  });
  const overlay = el('div', {class: 'drop-overlay', hidden: true}, el('p', {}, 'Drop a checkpoint of any NTM program, or a trace (.npz), to look inside'));
  const progress = el('div', {class: 'upload', role: 'status'});
  root.append(input, progress, overlay);

  /** @param {FileList|null|undefined} files */
  function take(files) {
    if (!files || files.length === 0) return;
    if (files.length > 1) actions.notify('warn', `${files.length} files were given; only '${files[0].name}' is uploaded.`);
    void actions.upload(files[0]);
  }

  let depth = 0;
  /** @param {DragEvent} event */
  const carriesFiles = (event) => event.dataTransfer?.types.includes('Files') ?? false;
  /** @type {[string, (event: DragEvent) => void][]} */
  const handlers = [
    ['dragenter', () => { depth += 1; }],
    ['dragover', () => {}],
    ['dragleave', () => { depth -= 1; }],
    ['drop', (event) => {
      depth = 0;
      take(event.dataTransfer?.files);
    }],
  ];
  for (const [name, handle] of handlers) {
    window.addEventListener(name, (event) => {
      const drag = /** @type {DragEvent} */ (event);
      if (!carriesFiles(drag)) return;
      drag.preventDefault();
      handle(drag);
      overlay.hidden = depth <= 0;
    }, {signal});
  }

  /** @param {State} state */
  function render({upload}) {
    if (!upload) return replaceChildren(progress);
    const {file, name, sent, total, status, error} = upload;
    if (status === 'asking') {
      replaceChildren(progress, el('div', {class: 'banner banner-info upload-asking'},
        el('span', {}, `'${name}': ${error?.message ?? ''}`),
        questionForm(error?.questions ?? [], (answers) => void actions.upload(file, {answers})),
        iconButton('close', 'Dismiss', actions.dismissUpload)));
      return;
    }
    const text = {
      sending: `Uploading '${name}', ${bytesText(sent)} of ${bytesText(total)}`,
      checking: `'${name}' is sent; the server checks it…`,
      failed: `'${name}' was not accepted: ${error?.message ?? ''}`,
    }[status];
    replaceChildren(progress, el('div', {class: status === 'failed' ? 'banner banner-error' : 'banner banner-info'},
      el('span', {}, text),
      status !== 'failed' && el('progress', {max: total, value: status === 'sending' ? sent : null, 'aria-label': 'Upload'}),
      status === 'failed' && iconButton('close', 'Dismiss', actions.dismissUpload)));
  }
  store.subscribe((state, previous) => {
    if (state.upload !== previous.upload) keepFocus(progress, () => render(state), () => [document.querySelector('#choose-file')]);
  }, signal);
  return {chooseFile: () => input.click()};
}
