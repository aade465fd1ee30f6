/** @import {Area} from '../plotly.js' */
/** @import {Model} from './model.js' */
/** @import {MovingPath} from './moving_paths.js' */
/** @import {Size} from './layout.js' */
/** @import {PlotSpec} from './panel.js' */
/** @import {StageName} from './stages.js' */
import {isEdited} from '../interventions.js';
import {areaOf, stepEdges, stepHeights, stepPaths} from '../plotly.js';
import {brief, exact} from './format.js';
import {baseLayout, locationRange, wholeTicks} from './layout.js';
import {argmax} from './measures.js';
import {logarithmic} from './scales.js';
import {ghostValues, stageValues} from './stages.js';

const MARGIN = Object.freeze({l: 46, r: 62, t: 5, b: 19});

/** @type {Record<StageName, {title: string, symbol: string, caption: string, letter: string}>} */
export const STAGE_WORDS = {
  previous: {
    title: 'Previous', symbol: '<i>w</i><sub><i>t</i>−1</sub>', caption: 'The weighting of the step before, from which it starts.', letter: 'w(t−1)',
  },
  content_weighting: {
    title: 'Content', symbol: '<i>w</i><sup>c</sup>', caption: 'Locations that resemble the key.', letter: 'w^c',
  },
  gated_weighting: {
    title: 'Gated', symbol: '<i>w</i><sup>g</sup>', caption: 'Content, or stay: the gate decides.', letter: 'w^g',
  },
  shifted_weighting: {
    title: 'Shifted', symbol: '<i class="tilde">w</i>', caption: 'Moved along by the shift kernel.', letter: 'w̃',
  },
  weighting: {
    title: 'Sharpened', symbol: '<i>w<sub>t</sub></i>', caption: 'Where the head has come to.', letter: 'w',
  },
};

/**
 * @param {StageName} stage
 * @returns {PlotSpec} One stage of the pipeline over all locations.
 */
export function stagePlot(stage) {
  const {title, symbol, caption, letter} = STAGE_WORDS[stage];
  return {
    id: `stage-${stage.replace('_', '-')}`,
    title,
    symbol,
    caption,
    height: 84,
    selects: null,
    links: {x: 'location', y: null},
    depends: ({scale, data}) => [scale.weighting, data.header.axes.location],
    area,
    figure: (model, size) => ({
      traces: [...stageTraces(model, stage)],
      layout: {
        ...baseLayout(model.theme, size, MARGIN, {x: locationAxis(model, size), y: weightAxis(model)}),
        annotations: [axisName(model)],
      },
    }),
    cells: null,
    motion: {
      kind: 'paths',
      paths: (model, place) => stagePaths(model, stage, place),
      values: (model) => shown(model, stage).map(stepHeights),
    },
    read(model, x) {
      const location = Math.round(x);
      const values = stageValues(model, stage);
      if (!(location >= 0 && location < values.length)) return null;
      const lines = [`location ${location}`, `${letter} = ${exact(values[location], model.data.header.dtype)}`];
      if (stage === 'content_weighting') lines.push(...similarityGap(model, values, location));
      return lines.join('\n');
    },
    note(model) {
      const values = stageValues(model, stage);
      const at = argmax(values);
      return at < 0 ? 'not recorded' : `peak ${brief(values[at])} at ${at}`;
    },
  };
}

/**
 * By eq. 1, ln w^c(i) and β K[k, M(i)] differ by the same number everywhere, so their gaps to the best are equal.
 *
 * @param {Model} model
 * @param {ArrayLike<number>} values
 * @param {number} location
 * @returns {string[]} A line, or none where w^c is no softmax over the locations or was edited.
 */
function similarityGap({data: {header}, step, head}, values, location) {
  if (Number.isNaN(values[location])) return ['not recorded'];
  if (header.config.content_softmax === 'each_location' || isEdited(header, 'content_weighting', head, step)) return [];
  const gap = Math.log(values[location] / values[argmax(values)]);
  return [`β·K is ${Number.isFinite(gap) ? brief(-gap) : `more than ${header.dtype} can tell`} below its best`];
}

/**
 * @param {Model} model
 * @param {Size} size
 */
function area(model, size) {
  return areaOf({...size, margin: MARGIN}, locationRange(model), weightRange(model));
}

/**
 * @param {Model} model
 * @returns {[number, number]}
 */
function weightRange({scale}) {
  return scale.weighting === 'log' ? [0, 6] : [0, 1];
}

/**
 * @param {Model} model
 * @param {StageName} stage
 * @returns {ArrayLike<number>[]} The stage, and what it is shown against, on the chosen scale.
 */
function shown(model, stage) {
  const both = [stageValues(model, stage), ghostValues(model, stage)];
  return model.scale.weighting === 'log' ? both.map(logarithmic) : both;
}

/**
 * @param {Model} model
 * @param {StageName} stage
 * @param {Area} place
 * @returns {MovingPath[]} What `stageTraces` makes Plotly draw.
 */
function stagePaths(model, stage, place) {
  const {accent, muted} = model.theme;
  const [{line, fill}, ghost] = shown(model, stage).map((values) => stepPaths(place, values));
  return [
    {d: fill, fill: `${accent}66`, stroke: 'none', width: 0},
    {d: line, fill: 'none', stroke: accent, width: 1.5},
    {d: ghost.line, fill: 'none', stroke: muted, width: 1},
  ];
}

/**
 * @param {Model} model
 * @param {StageName} stage
 */
function stageTraces(model, stage) {
  const {theme} = model;
  const [values, ghost] = shown(model, stage).map(stepHeights);
  const x = stepEdges(values.length / 2);
  const line = {type: 'scatter', mode: 'lines', x, hoverinfo: 'skip'};
  return [
    {...line, y: values, fill: 'tozeroy', fillcolor: `${theme.accent}66`, line: {color: theme.accent, width: 1.5}},
    {...line, y: ghost, line: {color: theme.muted, width: 1}},
  ];
}

/**
 * @param {Model} model
 * @param {Size} size
 */
function locationAxis(model, {width}) {
  const range = locationRange(model);
  return {title: '', range, values: wholeTicks(range, width / 40)};
}

/** @param {Model} model */
function weightAxis({scale}) {
  return scale.weighting === 'log'
    ? {title: '<i>w</i>', range: weightRangeOf(6), values: [0, 3, 6], labels: ['10<sup>−6</sup>', '10<sup>−3</sup>', '1'], fixed: true}
    : {title: '<i>w</i>', range: weightRangeOf(1), values: [0, 0.5, 1], fixed: true};
}

/**
 * @param {number} high
 * @returns {[number, number]}
 */
function weightRangeOf(high) {
  return [0, high];
}

/**
 * The name of the location axis at its right end, where it takes no height.
 *
 * @param {Model} model
 */
function axisName({theme}) {
  return {
    text: 'location <i>i</i>', xref: 'paper', yref: 'paper', x: 1, y: 0, xanchor: 'left', yanchor: 'middle', xshift: 5,
    yshift: -11, showarrow: false, font: {size: 11, color: theme.muted},
  };
}
