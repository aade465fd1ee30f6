// The page's sections: which plots there are for a trace's heads, and how they are arranged.

/** @import {Store} from '../store.js' */
/** @import {State, TraceHeader} from '../state.js' */
/** @import {Model} from './model.js' */
/** @import {Panel, PlotSpec} from './panel.js' */
import {Arrow} from './arrows.js';
import {choice} from './controls.js';
import {element, formula, roomFor, setText} from './dom.js';
import {inputPlot, outputPlot} from './episode_plots.js';
import {brief} from './format.js';
import {vectorPlot, weightingPlot} from './head_plots.js';
import {kernelPlot} from './kernel_plot.js';
import {identityGap, memoryPlot} from './memory_plots.js';
import {stagePlot} from './stage_plots.js';
import {StageTable} from './stage_table.js';
import {TRACK_NAMES, trackPlot} from './track_plots.js';

/**
 * @typedef {object} Section
 * @property {string} name
 * @property {HTMLElement} element
 * @property {Panel[]} panels
 * @property {(model: Model) => void} update What is not a plot.
 * @property {(state: State) => void} choose Shows which choices are made.
 */

/** @typedef {(spec: PlotSpec) => Panel} MakePanel */

/**
 * @param {TraceHeader} header
 * @param {Store} store
 * @param {MakePanel} make
 * @returns {(() => Section)[]} Each makes one, from the top of the page down.
 */
export function sectionsFor(header, store, make) {
  return [
    () => episodeSection(header, store, make), () => addressingSection(make), () => memorySection(header, make),
    () => tracksSection(store, make),
  ];
}

/**
 * Figure 6 of Graves et al. (2014): what goes in and out, what is written and read, and where.
 *
 * @param {TraceHeader} header
 * @param {Store} store
 * @param {MakePanel} make
 * @returns {Section}
 */
function episodeSection(header, store, make) {
  const headPlots = (/** @type {'read'|'write'} */ kind) => header.heads.flatMap((head, index) => (
    head.kind === kind ? [make(weightingPlot(header, index))] : []));
  const left = [make(inputPlot()), make(vectorPlot('write'))];
  const right = [make(outputPlot()), make(vectorPlot('read'))];
  const [writes, reads] = [headPlots('write'), headPlots('read')];
  const choices = [outputChoice(store), weightingChoice(store), signedChoice(store)];
  return {
    name: 'episode',
    element: frame('episode', 'Episode', [choices[0], choices[1], choices[2]],
      element('div', {class: 'episode-grid'},
        ...[0, 1].flatMap((row) => [left[row].element, right[row].element]),
        element('div', {class: 'episode-heads'}, ...writes.map((panel) => panel.element)),
        element('div', {class: 'episode-heads'}, ...reads.map((panel) => panel.element)))),
    panels: [left[0], right[0], left[1], right[1], ...writes, ...reads],
    update() {},
    choose: (state) => choices.forEach(({update}) => update(state)),
  };
}

/**
 * @param {MakePanel} make
 * @returns {Section} The pipeline of the selected head, from its last weighting to this one.
 */
function addressingSection(make) {
  const kernel = make(kernelPlot());
  const previous = make(stagePlot('previous'));
  const targets = /** @type {const} */ (['content_weighting', 'gated_weighting', 'shifted_weighting', 'weighting']);
  const stages = targets.map((target) => ({arrow: new Arrow(target), panel: make(stagePlot(target))}));
  const head = element('span', {class: 'section-note'});
  const table = new StageTable();
  const legend = element('p', {class: 'section-legend'});
  for (const {element: plot} of [previous, ...stages.map(({panel}) => panel)]) plot.classList.add('plot-stage');
  return {
    name: 'addressing',
    element: frame('addressing', 'Addressing', [{element: head}],
      element('div', {class: 'addressing'},
        element('div', {class: 'pipeline'}, previous.element,
          ...stages.flatMap(({arrow, panel}) => [arrow.element, panel.element])),
        element('div', {class: 'addressing-side'}, kernel.element, table.element, legend))),
    panels: [previous, ...stages.map(({panel}) => panel), kernel],
    update(model) {
      setText(head, `head ${model.data.header.heads[model.head].name}, t = ${model.step + 1}`);
      setText(legend, model.reference === null
        ? 'Grey line: the stage above it, from which it was made.'
        : `Grey line: the same stage at the pinned step, t = ${model.reference + 1}.`);
      for (const {arrow} of stages) arrow.update(model);
      table.update(model);
    },
    choose() {},
  };
}

/**
 * @param {TraceHeader} header
 * @param {MakePanel} make
 * @returns {Section}
 */
function memorySection({heads, config}, make) {
  const [before, erased, added, after] = /** @type {const} */ (['before', 'erased', 'added', 'after'])
    .map((part) => make(memoryPlot(part)));
  const sign = (/** @type {string} */ text) => formula(text, 'memory-sign');
  const note = element('span', {class: 'section-note'});
  const writers = heads.filter(({kind}) => kind === 'write').length;
  const order = config.write_order === 'one_by_one' ? 'each head erases and adds in turn' : 'all heads erase, then all add';
  const sums = writers > 1 ? ` · sums over ${writers} write heads: ${order}` : '';
  const noteOf = (/** @type {string} */ gap) => `before − erased + added = after, to within ${gap}${sums}`;
  return {
    name: 'memory',
    element: frame('memory', 'Memory', [{element: roomFor('span', noteOf('0.00e−00'), note)}],
      element('div', {class: 'memory'}, before.element, sign('−'), erased.element, sign('+'), added.element, sign('='),
        after.element)),
    panels: [before, erased, added, after],
    update(model) {
      setText(note, noteOf(brief(identityGap(model.data.memoryParts(model.step)))));
    },
    choose() {},
  };
}

/**
 * @param {Store} store
 * @param {MakePanel} make
 * @returns {Section}
 */
function tracksSection(store, make) {
  const panels = TRACK_NAMES.map((name) => make(trackPlot(name)));
  const legend = element('span', {class: 'section-legend'});
  const strength = choice('β', [['linear', 'linear'], ['log', 'log']], store, (state) => state.scale.key_strength,
    (key_strength, {scale}) => ({scale: {...scale, key_strength}}));
  return {
    name: 'tracks',
    element: frame('tracks', 'Parameters and focus over time', [{element: legend}, strength],
      element('div', {class: 'tracks'}, ...panels.map((panel) => panel.element))),
    panels,
    update({data: {header}, head}) {
      const others = header.heads.length > 2 ? 'the other heads' : header.heads.filter((_, index) => index !== head)[0]?.name;
      setText(legend, `Thick: ${header.heads[head].name}.${others ? ` Thin: ${others}.` : ''}`);
    },
    choose: strength.update,
  };
}

/**
 * @param {string} name
 * @param {string} title
 * @param {{element: HTMLElement}[]} extras Beside the title.
 * @param {HTMLElement} content
 */
function frame(name, title, extras, content) {
  const id = `views-${name}`;
  return element('section', {class: 'view-section', 'aria-labelledby': id},
    element('div', {class: 'section-head'}, element('h2', {id}, title), ...extras.map((extra) => extra.element)), content);
}

/** @param {Store} store */
function outputChoice(store) {
  return choice('Output', [['all', 'all'], ['output', 'output'], ['target', 'target'], ['error', 'error']], store,
    (state) => state.output_view, (output_view) => ({output_view}));
}

/** @param {Store} store */
function weightingChoice(store) {
  return choice('Weightings', [['fixed', '0 to 1'], ['log', 'log']], store, (state) => state.scale.weighting,
    (weighting, {scale}) => ({scale: {...scale, weighting}}));
}

/** @param {Store} store */
function signedChoice(store) {
  return choice('Signed values', [['auto', 'fitted'], ['fixed', '−1 to 1']], store, (state) => state.scale.memory,
    (memory, {scale}) => ({scale: {...scale, memory}}));
}
