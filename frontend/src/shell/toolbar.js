// Which model, which task, which episode; and what to do with the view.

/** @import {Actions} from '../actions.js' */
/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
import {isRecording, RECORDED} from '../api.js';
import {toHash} from '../url_state.js';
import {el, icon, iconButton, replaceChildren} from './dom.js';
import {modeGroup} from './mode_group.js';
import {modelGroup} from './model_group.js';
import {seedGroup} from './seed_group.js';
import {taskGroup} from './task_group.js';
import {nextTheme} from './theme.js';

/**
 * @param {HTMLElement} root
 * @param {object} parts
 * @param {Store} parts.store
 * @param {Actions} parts.actions
 * @param {AbortSignal} parts.signal
 * @param {() => void} parts.chooseFile
 * @param {() => void} parts.showAbout
 * @param {() => void} parts.showHelp
 * @param {() => void} parts.showTrain
 * @param {() => void} parts.showCompare
 * @param {() => void} parts.editInput
 * @param {HTMLElement} parts.exportMenu
 */
export function mountToolbar(root, {store, actions, signal, chooseFile, showAbout, showHelp, showTrain, showCompare, editInput, exportMenu}) {
  const model = modelGroup({store, actions, chooseFile, showAbout});
  const task = taskGroup({store, actions, signal});
  const seed = seedGroup({store, actions});
  const mode = modeGroup({actions});
  const edit = el('button', {type: 'button', class: 'button', id: 'edit-input', 'aria-label': 'Edit input', title: 'Type the input by hand', onclick: editInput}, icon('edit'),
    el('span', {class: 'button-text'}, 'Edit input'));
  const theme = iconButton('theme', 'Theme', () => store.set({theme: nextTheme(store.get().theme)}));

  replaceChildren(root,
    ...root.children,
    model.root, task.root, seed.root, edit, mode.root,
    el('div', {class: 'toolbar-end'},
      el('button', {type: 'button', class: 'button', id: 'show-compare', 'aria-label': 'Compare', title: 'Other models and addressing modes beside this trace', onclick: showCompare},
        icon('columns'), el('span', {class: 'button-text'}, 'Compare')),
      el('button', {type: 'button', class: 'button', id: 'train', 'aria-label': 'Train', title: 'Train a machine, and see the runs', onclick: showTrain},
        icon('train'), el('span', {class: 'button-text'}, 'Train')),
      el('button', {type: 'button', class: 'button', 'aria-label': 'Share', title: 'Copy a link to exactly this view', onclick: () => share({store, actions})},
        icon('share'), el('span', {class: 'button-text'}, 'Share')),
      exportMenu,
      theme,
      iconButton('help', 'Keys and reading guide (?)', showHelp)));

  /** @param {State} state */
  function render(state) {
    model.render(state);
    task.render(state);
    seed.render(state);
    mode.render(state);
    edit.toggleAttribute('data-on', state.request?.inputs !== null && state.request !== null);
    const recorded = state.request !== null && isRecording(state.request.checkpoint);
    edit.disabled = !state.trace.data || recorded;
    edit.title = recorded ? RECORDED : 'Type the input by hand';
    const label = `Theme: ${state.theme === 'auto' ? 'as the system' : state.theme}`;
    theme.title = label;
    theme.setAttribute('aria-label', label);
  }
  /** @type {(keyof State)[]} */
  const shown = ['checkpoints', 'tasks', 'modes', 'detail', 'request', 'theme'];
  store.subscribe((state, previous) => {
    const changed = shown.some((key) => state[key] !== previous[key]) || state.trace.data !== previous.trace.data;
    if (changed) render(state);
  }, signal);
  render(store.get());
}

/** @param {{store: Store, actions: Actions}} parts */
async function share({store, actions}) {
  history.replaceState(null, '', toHash(store.get()) || location.hash || '#');
  try {
    await navigator.clipboard.writeText(location.href);
    actions.notify('info', 'The link to this view is copied.');
  } catch {
    actions.notify('info', 'The browser refused the clipboard: copy the link from the address bar.');
  }
}
