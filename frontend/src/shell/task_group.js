// Which task, with which settings.

/** @import {Actions} from '../actions.js' */
/** @import {State, Summary, TaskInfo, TaskSettings} from '../state.js' */
/** @import {Store} from '../store.js' */
import {RECORDED} from '../api.js';
import {checkpointOf} from '../runs.js';
import {fits} from '../task_settings.js';
import {el, replaceChildren} from './dom.js';
import {menu} from './menu.js';
import {settingFields} from './settings_form.js';

/** @param {{store: Store, actions: Actions, signal: AbortSignal}} parts */
export function taskGroup({store, actions, signal}) {
  const select = el('select', {class: 'select', id: 'task'});
  select.addEventListener('change', () => actions.chooseTask(select.value));
  const inline = el('div', {class: 'fields'});
  const coding = menu({
    icon: 'sliders', label: 'How the task is coded', signal,
    content: () => {
      const shown = chosen(store.get());
      return [
        el('p', {class: 'menu-note'}, 'The model was trained with these; others need another model.'),
        ...(shown ? settingFields(shown.info, shown.settings, (control) => control.coding, (task) => actions.change({task, inputs: null})) : []),
      ];
    },
  });
  const root = el('div', {class: 'group', role: 'group', 'aria-label': 'Task'},
    el('label', {class: 'group-label', for: 'task'}, 'Task'), select, inline, coding.root);
  let key = '';

  /** @param {State} state */
  function render(state) {
    const {tasks, checkpoints, request} = state;
    const checkpoint = checkpointOf(checkpoints, request?.checkpoint);
    const now = JSON.stringify([checkpoint?.id, request?.task, request?.inputs !== null]);
    if (now === key) return;
    key = now;
    replaceChildren(select,
      ...tasks.map((info) => taskOption(info, checkpoint)),
      !request?.task && el('option', {value: ''}, '—'));
    select.value = request?.task?.name ?? '';
    select.disabled = !checkpoint || checkpoint.source === 'recorded';
    select.title = checkpoint?.source === 'recorded' ? RECORDED : '';
    const shown = chosen(state);
    coding.root.hidden = !shown;
    coding.refresh();
    const focused = inline.contains(document.activeElement) ? document.activeElement?.getAttribute('aria-label') : null;
    replaceChildren(inline, ...(shown
      ? settingFields(shown.info, shown.settings, (control) => !control.coding, (task) => actions.change({task, inputs: null}))
      : []));
    if (focused) /** @type {HTMLElement|null} */ (inline.querySelector(`[aria-label="${CSS.escape(focused)}"]`))?.focus();
  }
  return {root, render};
}

/**
 * @param {State} state
 * @returns {{info: TaskInfo, settings: TaskSettings}|null}
 */
function chosen({tasks, request}) {
  const settings = request?.task;
  const info = tasks.find(({name}) => name === settings?.name);
  return info && settings ? {info, settings: {...info.defaults, ...settings}} : null;
}

/**
 * @param {TaskInfo} info
 * @param {Summary|undefined} checkpoint
 */
function taskOption(info, checkpoint) {
  const possible = !checkpoint || fits(info, checkpoint);
  const need = `needs ${info.input_channels.length} → ${info.output_channels.length} channels`;
  return el('option', {value: info.name, disabled: !possible, title: info.description}, possible ? info.title : `${info.title} (${need})`);
}
