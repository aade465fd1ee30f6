// The cursor's step, the speed and the loop region as fields.

/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
import {clamp, lastStep, moveTo, toggleDiff, togglePin} from '../cursor.js';
import {keepFocus} from '../focus.js';
import {NO_ZOOM, SPEEDS} from '../state.js';
import {setHidden} from '../views/dom.js';
import {el, iconButton, replaceChildren} from './dom.js';

/** @param {Store} store */
export function timeFields(store) {
  const t = el('input', {type: 'number', class: 'number', id: 't', min: 1, value: 1, step: 1, 'aria-label': 'Step t, counted from 1'});
  t.addEventListener('blur', () => tell());
  const total = el('span', {class: 'field-unit'}, '/ –');
  t.addEventListener('change', () => {
    if (Number.isFinite(t.valueAsNumber)) store.set(moveTo(store.get(), t.valueAsNumber - 1));
    const {step, sought} = store.get();
    t.value = String((sought ?? step) + 1);
  });
  const speed = el('select', {class: 'select', id: 'speed', 'aria-label': 'Playback speed, 1 is ten steps a second'});
  speed.addEventListener('change', () => store.set({speed: Number(speed.value)}));
  const toggle = iconButton('loop', 'Loop', () => {
    const last = lastStep(store.get());
    store.set({loop: store.get().loop || last < 0 ? null : [0, last]});
  });
  const [start, stop] = [loopEnd(store, 0), loopEnd(store, 1)];
  const ends = el('span', {class: 'loop-ends'}, start, el('span', {class: 'field-dash', 'aria-hidden': 'true'}, '–'), stop);
  const pin = iconButton('pin', 'Pin this step (P)', () => store.set(togglePin(store.get())));
  const diff = el('button', {type: 'button', class: 'button', title: 'Difference to the pinned step (D)', 'aria-label': 'Difference to the pinned step', onclick: () => store.set(toggleDiff(store.get()))}, 'Δ');
  const whole = el('button', {type: 'button', class: 'button', title: 'Show all of the plots again (Esc)', onclick: () => store.set({zoom: NO_ZOOM})}, 'Show all');
  const marks = el('div', {class: 'field'}, pin, diff, whole);
  const root = el('div', {class: 'time-fields'},
    el('div', {class: 'field'}, el('label', {class: 'math', for: 't'}, 't'), el('span', {class: 'field-unit'}, '='), t, total),
    speed,
    el('div', {class: 'field'}, toggle, ends),
    marks);

  /**
   * @param {State} state
   * @param {State|null} previous
   */
  function render(state, previous) {
    const {trace: {data}} = state;
    if (data !== previous?.trace.data) {
      const steps = data ? data.header.steps : 0;
      for (const input of [t, start, stop]) input.max = String(Math.max(1, steps));
      t.disabled = !data;
      toggle.disabled = !data;
      total.textContent = `/ ${steps || '–'}`;
    }
    if (state.speed !== previous?.speed) drawSpeeds(speed, state.speed);
    if (state.loop !== previous?.loop) drawLoop(state.loop);
    pin.setAttribute('aria-pressed', String(state.pinned !== null));
    pin.title = state.pinned === null ? 'Pin this step (P)' : `Pinned: t = ${state.pinned + 1} (P)`;
    diff.setAttribute('aria-pressed', String(state.diff));
    keepFocus(marks, () => {
      setHidden(diff, state.pinned === null);
      setHidden(whole, Object.values(state.zoom).every((range) => range === null));
    }, () => [pin]);
  }

  /** Says where the cursor is. */
  function tell() {
    const {step, sought} = store.get();
    const text = String((sought ?? step) + 1);
    if (document.activeElement !== t && t.value !== text) t.value = text;
  }

  /** @param {State['loop']} loop */
  function drawLoop(loop) {
    ends.hidden = !loop;
    toggle.setAttribute('aria-pressed', String(loop !== null));
    toggle.title = loop ? 'Clear the loop region (Esc)' : 'Loop; [ and ] set its ends at the cursor';
    if (!loop) return;
    start.value = String(loop[0] + 1);
    stop.value = String(loop[1] + 1);
  }
  return {root, render, tell};
}

/**
 * @param {Store} store
 * @param {0|1} end
 */
function loopEnd(store, end) {
  const input = el('input', {type: 'number', class: 'number', min: 1, step: 1, 'aria-label': end === 0 ? 'First step of the loop' : 'Last step of the loop'});
  input.addEventListener('change', () => {
    const {loop} = store.get();
    if (!loop) return;
    const typed = Math.round(input.valueAsNumber) - 1;
    const step = Number.isNaN(typed) ? loop[end] : clamp(typed, 0, lastStep(store.get()));
    store.set({loop: end === 0 ? [step, Math.max(step, loop[1])] : [Math.min(step, loop[0]), step]});
  });
  return input;
}

/**
 * @param {HTMLSelectElement} select
 * @param {number} speed
 */
function drawSpeeds(select, speed) {
  const speeds = SPEEDS.includes(speed) ? SPEEDS : [...SPEEDS, speed].sort((a, b) => a - b);
  replaceChildren(select, ...speeds.map((value) => el('option', {value, selected: value === speed}, `×${value}`)));
}
