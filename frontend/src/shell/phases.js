// An episode's phases and its wrong steps, along the time axis.

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
 * @param {Segment[]} segments
 * @param {number} step
 * @returns {string} The name of the phase at a step.
 */
export function phaseAt(segments, step) {
  return segments.find(({start, length}) => step >= start && step < start + length)?.name ?? '';
}

/**
 * @param {string} name
 * @returns {'mark'|'answer'|'given'} How a phase is drawn: solid mark, hatched answer, tinted input.
 */
export function phaseLook(name) {
  if (name.includes('delimiter') || name === 'end') return 'mark';
  return name === 'output' ? 'answer' : 'given';
}
