// What one step does to memory: before − erased + added = after.

/** @import {Numbers, Parts} from '../memory.js' */
/** @import {Grid, Layer} from './cells.js' */
/** @import {Size} from './layout.js' */
/** @import {Model} from './model.js' */
/** @import {CellsOf, PlotSpec} from './panel.js' */
import {areaOf} from '../plotly.js';
import {gridOf, heatmaps, pooledNote, sharedRows} from './cells.js';
import {exact} from './format.js';
import {baseLayout, locationAxisDown, locationRange, upsideDown, wholeTicks, wordRange} from './layout.js';
import {signedScale} from './scales.js';

/** @typedef {keyof Parts} PartName */

const MARGIN = Object.freeze({l: 48, r: 50, t: 5, b: 33});

/** @type {Record<PartName, {title: string, symbol: string, caption: string, letter: string}>} */
const WORDS = {
  before: {
    title: 'Memory before', symbol: '<i>M</i><sub><i>t</i>−1</sub>', caption: 'What memory held.', letter: 'M(t−1)',
  },
  erased: {
    title: 'Erased', symbol: '<i>M</i><sub><i>t</i>−1</sub> ∘ (<i>w e</i>)', caption: 'What is taken away (eq. 7).', letter: 'erased',
  },
  added: {
    title: 'Added', symbol: '<i>w a</i>', caption: 'What is put in (eq. 8).', letter: 'added',
  },
  after: {
    title: 'Memory after', symbol: '<i>M<sub>t</sub></i>', caption: 'What memory holds now.', letter: 'M(t)',
  },
};

/**
 * @param {Parts} parts
 * @returns {number} The largest |before − erased + added − after|: what rounding leaves.
 */
export function identityGap({before, erased, added, after}) {
  let gap = 0;
  for (let at = 0; at < after.length; at++) {
    gap = Math.max(gap, Math.abs(before[at] - erased[at] + added[at] - after[at]));
  }
  return gap;
}

/**
 * @param {PartName} part
 * @returns {PlotSpec}
 */
export function memoryPlot(part) {
  const {title, symbol, caption, letter} = WORDS[part];
  const whole = part === 'before' || part === 'after';
  /** @type {CellsOf} */
  const grid = (model, size, _, before) => wordGrid(model, size, {
    rows: rowsOf(shown(model, part), model.data.header.axes.word),
    scale: signedScale(model.memoryLimit, model),
    bar: part !== 'after' ? '' : model.reference === null ? 'value' : 'value − pinned',
  }, before);
  return {
    id: `memory-${part}`,
    title,
    symbol,
    caption,
    height: 330,
    selects: null,
    links: {x: 'word', y: 'location'},
    depends: ({memoryLimit}) => [memoryLimit],
    area,
    figure: (model, size) => ({
      traces: heatmaps(grid(model, size), model.theme),
      layout: baseLayout(model.theme, size, MARGIN, {
        x: wordAxis(model, size), y: locationAxisDown(model, size.height - MARGIN.t - MARGIN.b),
      }),
    }),
    cells: grid,
    motion: {kind: 'cells'},
    read(model, x, y) {
      const [word, location] = [Math.round(x), Math.round(y)];
      const {axes, dtype} = model.data.header;
      if (!(word >= 0 && word < axes.word && location >= 0 && location < axes.location)) return null;
      const value = model.data.memoryParts(model.step)[part][location * axes.word + word];
      return `location ${location} · element ${word}\n${letter} = ${exact(value, dtype)}`;
    },
    note: (model, size) => [
      whole && model.reference !== null ? `minus t = ${model.reference + 1}` : '', pooledNote(sharedLocations(model, size), 'locations a row'),
    ].filter(Boolean).join(' · '),
  };
}

/**
 * @param {Model} model
 * @param {Size} size
 * @param {Layer} layer `rows[location][word]`
 * @param {Grid} [before] Of the same locations, at another step; it need not be kept.
 * @returns {Grid} One column an element of a word.
 */
export function wordGrid(model, size, layer, before) {
  return gridOf([layer], {x: 0, count: model.data.header.axes.word, across: null, down: sharedLocations(model, size)}, {before});
}

/**
 * @param {Model} model
 * @param {Size} size
 */
function sharedLocations(model, {height}) {
  const pixels = height - MARGIN.t - MARGIN.b;
  return sharedRows(locationAxisDown(model, pixels), model.data.header.axes.location, pixels);
}

/**
 * @param {Model} model
 * @param {PartName} part
 * @returns {Numbers} Memories less the pinned one, if differences are shown: the sum holds all the same.
 */
function shown(model, part) {
  const values = model.data.memoryParts(model.step)[part];
  if (model.reference === null || part === 'erased' || part === 'added') return values;
  const pinned = model.data.memory(model.reference);
  return values.map((value, at) => value - pinned[at]);
}

/** @type {WeakMap<Numbers, Numbers[]>} The rows of arrays in which one memory after another is put. */
const rowsKept = new WeakMap();

/**
 * @param {Numbers} values (location × word)
 * @param {number} words
 * @returns {Numbers[]} Without copies.
 */
function rowsOf(values, words) {
  const kept = rowsKept.get(values);
  if (kept) return kept;
  const rows = Array.from({length: values.length / words}, (_, row) => values.subarray(row * words, (row + 1) * words));
  rowsKept.set(values, rows);
  return rows;
}

/**
 * @param {Model} model
 * @param {Size} size
 */
function wordAxis(model, {width}) {
  const range = wordRange(model);
  return {title: 'word element <i>j</i>', range, values: wholeTicks(range, width / 45)};
}

/**
 * @param {Model} model
 * @param {Size} size
 */
function area(model, size) {
  return areaOf({...size, margin: MARGIN}, wordRange(model), upsideDown(locationRange(model)));
}
