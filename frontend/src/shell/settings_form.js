// The settings of a task as form controls, made from its schema.

/** @import {TaskInfo, TaskSettings} from '../state.js' */
/** @import {Control} from '../task_settings.js' */
import {controlsOf} from '../task_settings.js';
import {el, replaceChildren} from './dom.js';

/**
 * Controls for some of a task's settings. A change that the browser's own bounds refuse is not passed on.
 *
 * @param {TaskInfo} info
 * @param {TaskSettings} settings
 * @param {(control: Control) => boolean} wanted
 * @param {(settings: TaskSettings) => void} onChange
 * @returns {HTMLElement[]}
 */
export function settingFields(info, settings, wanted, onChange) {
  return controlsOf(info.settings_schema).filter(wanted).map((control) => {
    /** @param {unknown} value */
    const set = (value) => onChange({...settings, [control.name]: value});
    const value = settings[control.name];
    if (control.kind === 'range') return rangeField(control, /** @type {[number, number]} */ (value), set);
    if (control.kind === 'choice') return choiceField(control, value, set);
    if (control.kind === 'flag') return flagField(control, value === true, set);
    return field(control, numberInput(control, Number(value), set));
  });
}

/**
 * @param {Control} control
 * @param {...HTMLElement} inputs
 */
function field(control, ...inputs) {
  return el('div', {class: 'field', title: control.description, 'data-setting': control.name},
    el('span', {class: 'field-label'}, control.title), ...inputs);
}

/**
 * @param {Control} control
 * @param {number} value
 * @param {(value: number) => void} set
 * @param {string} [part] Which end of a range.
 */
function numberInput({title, minimum, maximum, kind}, value, set, part = '') {
  const input = el('input', {
    type: 'number', class: 'number', min: minimum, max: maximum, step: kind === 'number' ? 'any' : 1, value, required: true,
    'aria-label': part ? `${title}, ${part}` : title,
  });
  input.addEventListener('change', () => {
    if (input.reportValidity()) set(input.valueAsNumber);
  });
  return input;
}

/**
 * One number, or, where "to" is switched on, the smallest and largest of a number drawn for each episode.
 *
 * @param {Control} control
 * @param {[number, number]} range
 * @param {(range: [number, number]) => void} set
 */
function rangeField(control, range, set) {
  const root = field(control);
  const label = /** @type {Element} */ (root.firstElementChild);

  /** @param {[number, number]} changed */
  function change(changed) {
    set(changed);
    draw(changed);
    root.querySelector('input')?.focus();
  }

  /** @param {[number, number]} range */
  function draw([low, high]) {
    replaceChildren(root, label, ...(low === high ? oneNumber(control, low, set, change) : twoNumbers(control, [low, high], set, change)));
  }
  draw(range);
  return root;
}

/**
 * @param {Control} control
 * @param {number} value
 * @param {(range: [number, number]) => void} set
 * @param {(range: [number, number]) => void} change Sets it, and shows the range.
 */
function oneNumber(control, value, set, change) {
  const {title, minimum = 1} = control;
  const input = numberInput(control, value, (now) => set([now, now]));
  const more = el('button', {
    type: 'button', class: 'button button-quiet', title: `Draw ${title} from a range, anew for each seed`,
    'aria-label': `Draw ${title} from a range`,
    onclick: () => {
      const now = input.valueAsNumber || value;
      change(now === minimum ? [now, now + 1] : [minimum, now]);
    },
  }, '…');
  return [input, more];
}

/**
 * @param {Control} control
 * @param {[number, number]} range
 * @param {(range: [number, number]) => void} set
 * @param {(range: [number, number]) => void} change Sets it, and shows the one number.
 */
function twoNumbers(control, [low, high], set, change) {
  const smallest = numberInput(control, low, (now) => both(now, Math.max(now, largest.valueAsNumber || now)), 'smallest');
  const largest = numberInput(control, high, (now) => both(Math.min(now, smallest.valueAsNumber || now), now), 'largest');
  const fixed = el('button', {
    type: 'button', class: 'button button-quiet', title: `Always use the largest of ${control.title}`, 'aria-label': `Always use the largest of ${control.title}`,
    onclick: () => {
      const now = largest.valueAsNumber || high;
      change([now, now]);
    },
  }, '=');

  /** @type {(low: number, high: number) => void} */
  function both(low, high) {
    [smallest.value, largest.value] = [String(low), String(high)];
    set([low, high]);
  }
  return [smallest, el('span', {class: 'field-dash', 'aria-hidden': 'true'}, '–'), largest, fixed];
}

/**
 * @param {Control} control
 * @param {unknown} value
 * @param {(value: unknown) => void} set
 */
function choiceField(control, value, set) {
  const select = el('select', {class: 'select', 'aria-label': control.title},
    ...control.options.map((option) => el('option', {selected: option === value}, String(option))));
  select.addEventListener('change', () => set(control.options[select.selectedIndex]));
  return field(control, select);
}

/**
 * @param {Control} control
 * @param {boolean} value
 * @param {(value: boolean) => void} set
 */
function flagField(control, value, set) {
  const box = el('input', {type: 'checkbox', checked: value, 'aria-label': control.title});
  box.addEventListener('change', () => set(box.checked));
  return field(control, box);
}
