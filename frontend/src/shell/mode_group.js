// Which addressing mode: what of addressing is taken away, or made to be.

/** @import {Actions} from '../actions.js' */
/** @import {State} from '../state.js' */
import {isRecording, RECORDED} from '../api.js';
import {modeOf} from '../change_words.js';
import {UNCHANGED} from '../interventions.js';
import {el, replaceChildren} from './dom.js';

/** @param {{actions: Actions}} parts */
export function modeGroup({actions}) {
  const select = el('select', {class: 'select', id: 'mode'});
  select.addEventListener('change', () => actions.intervene({mode: select.value}));
  const root = el('div', {class: 'group', role: 'group', 'aria-label': 'Addressing'},
    el('label', {class: 'group-label', for: 'mode'}, 'Addressing'), select);
  /** @type {State['modes']|null} */
  let listed = null;

  /** @param {State} state */
  function render(state) {
    const {modes, request} = state;
    if (listed !== modes) {
      listed = modes;
      fillModes(select, modes);
    }
    const recorded = request !== null && isRecording(request.checkpoint);
    const name = request?.mode ?? UNCHANGED.mode;
    const mode = modeOf(state, name);
    if (mode) select.value = name;
    select.disabled = request === null || recorded;
    select.title = recorded ? RECORDED : [mode?.definition, mode?.equation].filter(Boolean).join('\n');
    select.toggleAttribute('data-on', name !== UNCHANGED.mode);
  }
  return {root, render};
}

/**
 * @param {HTMLSelectElement} select
 * @param {State['modes']} modes
 */
function fillModes(select, modes) {
  replaceChildren(select, ...modes.map(({name, title, definition, equation}) => (
    el('option', {value: name, title: [definition, equation].filter(Boolean).join('\n')}, title))));
}
