// The time axis: phases, wrong bits, loop region, pin, and the cursor to drag.

/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {TraceData} from '../trace_data.js' */
import {moveTo} from '../cursor.js';
import {Slide} from '../views/slide.js';
import {el, replaceChildren} from './dom.js';
import {phaseLook, placeWords, segmentsOf, wrongSteps} from './phases.js';

/** @param {Store} store */
export function timeBand(store) {
  const phases = el('div', {class: 'band-phases', 'aria-hidden': 'true'});
  const wrong = el('div', {class: 'band-wrong', 'aria-hidden': 'true'});
  const missing = el('div', {class: 'band-missing', 'aria-hidden': 'true'});
  const loop = el('div', {class: 'band-loop', 'aria-hidden': 'true', hidden: true});
  const pin = el('div', {class: 'band-pin', 'aria-hidden': 'true', hidden: true, title: 'Pinned step'});
  const slider = el('input', {type: 'range', class: 'band-slider', id: 'step', min: 0, max: 0, step: 1, value: 0, 'aria-label': 'Step'});
  slider.addEventListener('input', () => store.set({...moveTo(store.get(), slider.valueAsNumber), playing: false}));
  const sought = el('div', {class: 'band-sought', 'aria-hidden': 'true', hidden: true, title: 'This step is on its way'});
  const cursor = el('div', {class: 'band-cursor', 'aria-hidden': 'true'});
  const slide = new Slide(cursor);
  slide.between('0%', '100%');
  const root = el('div', {class: 'band'}, phases, missing, loop, wrong, pin, sought, cursor, slider);

  /**
   * @param {number} from
   * @param {number} to
   * @param {number} steps
   */
  const place = (from, to, steps) => `left:${(100 * from) / steps}%;width:${(100 * (to - from)) / steps}%`;

  /** @param {TraceData} data */
  function drawPhases(data) {
    const steps = data.header.steps;
    const segments = segmentsOf(data.episode('phase'), data.header.phases);
    replaceChildren(phases, ...segments.map(({name, start, length}) => el('div', {
      class: `phase phase-${phaseLook(name)}`, style: place(start, start + length, steps), title: `${name}, t = ${start + 1}${length > 1 ? ` to ${start + length}` : ''}`,
    }, el('span', {}, name))));
    slider.max = String(steps - 1);
    root.style.setProperty('--steps', String(steps));
  }

  /** @param {State} state */
  function drawArrival({trace: {data, status}}) {
    if (!data) return;
    const steps = data.header.steps;
    replaceChildren(missing, ...missingIn(data).map(([start, end]) => el('i', {style: place(start, end, steps)})));
    if (status !== 'streaming') {
      replaceChildren(wrong, ...wrongSteps(data).map((step) => el('i', {style: place(step, step + 1, steps)})));
    }
  }

  /** @param {State} state */
  function drawMarks({trace: {data}, loop: region, pinned}) {
    loop.hidden = !data || !region;
    pin.hidden = !data || pinned === null;
    if (data && region) loop.style.cssText = place(region[0], region[1] + 1, data.header.steps);
    if (data && pinned !== null) pin.style.cssText = place(pinned, pinned + 1, data.header.steps);
  }

  /**
   * @param {State} state
   * @param {State|null} previous
   */
  function render(state, previous) {
    const {trace: {data, status}, step} = state;
    const soughtElse = state.sought !== previous?.sought;
    if (data && data !== previous?.trace.data) drawPhases(data);
    if (state.trace !== previous?.trace) {
      drawArrival(state);
      slider.disabled = !data;
      root.toggleAttribute('data-empty', !data);
      root.setAttribute('aria-busy', String(status === 'pending' || status === 'streaming'));
    }
    if (soughtElse || data !== previous?.trace.data) {
      sought.hidden = !data || state.sought === null;
      if (data && state.sought !== null) sought.style.cssText = place(state.sought, state.sought + 1, data.header.steps);
    }
    if (state.loop !== previous?.loop || state.pinned !== previous?.pinned || data !== previous?.trace.data) drawMarks(state);
    if (data && (step !== previous?.step || data !== previous.trace.data)) slide.move(step / Math.max(1, data.header.steps - 1));
  }

  /** Says where the cursor is: of the slider nothing is seen, it is for the pointer and for who listens. */
  function tell() {
    const {trace: {data}, step, sought} = store.get();
    if (!data) return;
    const at = sought ?? step;
    const text = placeWords(store.get());
    if (slider.value !== String(at)) slider.value = String(at);
    if (text !== slider.getAttribute('aria-valuetext')) slider.setAttribute('aria-valuetext', text);
  }
  return {root, render, tell};
}

/**
 * @param {TraceData} data
 * @returns {[number, number][]} From which steps to before which others none has arrived.
 */
export function missingIn(data) {
  const {steps} = data.header;
  /** @type {[number, number][]} */
  const missing = [];
  for (let start = data.arrivedFrom(0); start < steps;) {
    const end = data.nextArrived(start);
    missing.push([start, end]);
    start = data.arrivedFrom(end);
  }
  return missing;
}
