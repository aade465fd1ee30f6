// Which model: the picker, what it is, upload and delete.

/** @import {Actions} from '../actions.js' */
/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
import {keepFocus} from '../focus.js';
import {checkpointOf, modelName} from '../runs.js';
import {confirmed, el, iconButton, replaceChildren} from './dom.js';
import {machineLine} from './machine_line.js';

/**
 * @param {{store: Store, actions: Actions, chooseFile: () => void, showAbout: () => void}} parts
 */
export function modelGroup({store, actions, chooseFile, showAbout}) {
  const select = el('select', {class: 'select', id: 'model'});
  select.addEventListener('change', () => actions.chooseCheckpoint(select.value));
  const about = el('button', {type: 'button', class: 'chip', id: 'about-model', onclick: showAbout, title: 'Card, training and conventions of this model'});
  const upload = iconButton('upload', 'Upload a checkpoint, or a trace (.npz)', chooseFile);
  upload.id = 'choose-file';
  const remove = iconButton('trash', 'Delete this upload', async () => {
    const id = store.get().request?.checkpoint;
    const name = select.selectedOptions[0]?.textContent;
    if (id && await confirmed(`Delete the upload '${name}' from the server?`, 'Delete')) void actions.remove(id);
  });
  const root = el('div', {class: 'group', role: 'group', 'aria-label': 'Model'},
    el('label', {class: 'group-label', for: 'model'}, 'Model'), select, about,
    upload, remove);
  /** @type {State['checkpoints']|null} */
  let listed = null;

  /** @param {State} state */
  function render({checkpoints, request, detail}) {
    if (listed !== checkpoints) {
      listed = checkpoints;
      fillModels(select, checkpoints);
    }
    const chosen = checkpointOf(checkpoints, request?.checkpoint);
    select.value = chosen?.id ?? '';
    select.disabled = checkpoints.length === 0;
    keepFocus(remove, () => {
      remove.hidden = chosen?.source !== 'uploaded' && chosen?.source !== 'recorded';
    }, () => [select, upload]);
    about.hidden = !chosen;
    if (chosen) {
      const deviations = detail?.status === 'ready' ? detail.value.choices.filter(({deviates}) => deviates).length : 0;
      const note = deviations === 0 ? null : el('span', {class: 'chip-warn'}, deviations === 1 ? '1 deviation' : `${deviations} deviations`);
      replaceChildren(about, machineLine(chosen), note);
    }
  }
  return {root, render};
}

/**
 * @param {HTMLSelectElement} select
 * @param {State['checkpoints']} checkpoints
 * @param {string|null} [chosen] The id of a checkpoint; if it is one within a series, it stands below that at the end.
 */
export function fillModels(select, checkpoints, chosen = null) {
  if (checkpoints.length === 0) {
    replaceChildren(select, el('option', {value: ''}, 'none yet'));
    return;
  }
  const series = checkpointOf(checkpoints, chosen)?.id;
  const groups = /** @type {const} */ ([['shipped', 'Shipped'], ['trained', 'Trained here'], ['uploaded', 'Uploaded'], ['recorded', 'Recorded elsewhere']]);
  replaceChildren(select, ...groups.map(([source, label]) => {
    const options = checkpoints.filter((one) => one.source === source);
    return options.length > 0 && el('optgroup', {label}, ...options.flatMap(({id, name}) => [
      el('option', {value: id}, name), chosen && chosen !== id && id === series && el('option', {value: chosen}, modelName(checkpoints, chosen))]));
  }));
}
