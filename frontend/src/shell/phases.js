// An episode's phases and its wrong steps, along the time axis.

/** @import {State} from '../state.js' */
/** @import {TraceData} from '../trace_data.js' */
import {isWrong} from '../views/measures.js';

/** @typedef {{name: string, start: number, length: number}} Segment Steps of one phase in a row. */

/**
 * @param {ArrayLike<number>} phase Index into the names, for each step.
 * @param {string[]} names
 * @returns {Segment[]}
 */
export function segmentsOf(phase, names) {
  /** @type {Segment[]} */
  const segments = [];
  for (let step = 0; step < phase.length; step++) {
    const last = segments[segments.length - 1];
    if (last && phase[step] === phase[step - 1]) last.length += 1;
    else segments.push({name: names[phase[step]] ?? `phase ${phase[step]}`, start: step, length: 1});
  }
  return segments;
}

/**
 * @param {TraceData} data
 * @returns {number[]} Steps, of those that have arrived, with an asked output on the wrong side of 0.5.
 */
export function wrongSteps(data) {
  const mask = data.episode('mask');
  /** @type {number[]} */
  const steps = [];
  for (let step = 0; step < data.received; step++) {
    if (mask[step] === 0) continue;
    const [outputs, targets] = [data.at('outputs', step), data.at('targets', step)];
    if (outputs.some((output, channel) => isWrong(output, targets[channel]))) steps.push(step);
  }
  return steps;
}

/**
 * @param {Pick<State, 'trace'|'step'|'sought'>} state
 * @returns {string} Where the cursor is to stand; empty without a trace.
 */
export function placeWords({trace: {data}, step, sought}) {
  if (!data) return '';
  const at = sought ?? step;
  const phase = data.header.phases[data.episode('phase')[at]] ?? '';
  return `t = ${at + 1} of ${data.header.steps}, ${phase}${sought === null ? '' : ', on its way'}`;
}

/**
 * @param {string} name
 * @returns {'mark'|'answer'|'given'} How a phase is drawn: solid mark, hatched answer, tinted input.
 */
export function phaseLook(name) {
  if (name.includes('delimiter') || name === 'end') return 'mark';
  return name === 'output' ? 'answer' : 'given';
}
