// The plots of one column: those of the main view, under the column's letter.

/** @import {TraceHeader} from '../state.js' */
/** @import {PlotSpec} from '../views/panel.js' */
import {outputPlot} from '../views/episode_plots.js';
import {vectorPlot, weightingPlot} from '../views/head_plots.js';
import {memoryPlot} from '../views/memory_plots.js';

/** Of the memory in CSS pixels: less than in the main view, since columns are narrow. */
const MEMORY_HEIGHT = 300;

/** Captions for which the narrowest column has no room, in fewer words. */
const SHORT = Object.freeze({
  output: 'Probability, target and error; × is a wrong bit.',
  adds: 'What the write head adds where it looks (eq. 8).',
  reads: 'What the read head takes where it looks (eq. 6).',
});

/**
 * @param {string} letter
 * @param {TraceHeader} header
 * @returns {PlotSpec[]} Output, the weightings of write heads and then of read heads, adds, reads, and memory.
 */
export function columnPlots(letter, header) {
  const weightings = /** @type {const} */ (['write', 'read']).flatMap((kind) => header.heads.flatMap((head, index) => (
    head.kind === kind ? [{...weightingPlot(header, index), height: 200}] : [])));
  return [
    {...outputPlot(), caption: SHORT.output}, ...weightings, {...vectorPlot('write'), caption: SHORT.adds},
    {...vectorPlot('read'), caption: SHORT.reads}, {...memoryPlot('after'), height: MEMORY_HEIGHT},
  ].map((spec) => under(letter, spec));
}

/**
 * @param {string} letter
 * @param {PlotSpec} spec
 * @returns {PlotSpec}
 */
export function under(letter, spec) {
  return {...spec, id: `${letter.toLowerCase()}-${spec.id}`, title: `${letter} · ${spec.title}`};
}
