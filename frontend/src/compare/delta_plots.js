// B − A: weightings over time and memory at the cursor, with a map centred at zero.

/** @import {TraceData} from '../trace_data.js' */
/** @import {Model} from '../views/model.js' */
/** @import {CellsOf, PlotSpec} from '../views/panel.js' */
/** @import {Values} from '../views/scales.js' */
/** @import {StageName} from '../views/stages.js' */
import {heatmaps} from '../views/cells.js';
import {brief} from '../views/format.js';
import {vectorHead, vectorLimit, vectorPlot, weightingPlot, wordAxisDown} from '../views/head_plots.js';
import {locationAxisDown, upsideDown, wholeTicks} from '../views/layout.js';
import {memoryPlot, wordGrid} from '../views/memory_plots.js';
import {signedScale} from '../views/scales.js';
import {STAGE_WORDS} from '../views/stage_plots.js';
import {STAGES} from '../views/stages.js';
import {timeHeatmap} from '../views/time_heatmap.js';
import {barSymbol, stageHeatmaps} from './stage_heatmaps.js';

/**
 * A model of A with what is subtracted from: B's trace, its rows in A's order (null: as they are), and by how many
 * steps its moments are later.
 * @typedef {{b: TraceData, rows: readonly number[]|null, offset: number, letter: string}} Other
 * @typedef {Model & {other: Other}} DeltaModel
 */

/**
 * @param {TraceData} a
 * @param {TraceData} b
 * @returns {string|null} Why the two cannot be subtracted; null if they can.
 */
export function cannotSubtract(a, b) {
  const [first, second] = [a.header.axes.location, b.header.axes.location];
  return first === second ? null : `A has ${first} locations and this column ${second}: they cannot be subtracted.`;
}

/**
 * @param {TraceData} a
 * @param {TraceData} b That can be subtracted.
 * @returns {PlotSpec[]} Of the outputs if they are as many, of the heads that both have, write heads first, and of
 *   adds, reads and memory if words are as long.
 */
export function deltaPlots({header}, b) {
  const heads = header.heads.map((head, index) => ({...head, index})).sort((x, y) => Number(x.kind === 'read') - Number(y.kind === 'read'));
  const both = heads.filter(({name}) => b.header.heads.some((other) => other.name === name));
  const memory = header.axes.word === b.header.axes.word ? [deltaVector('write'), deltaVector('read'), deltaMemory()] : [];
  const outputs = header.axes.output === b.header.axes.output ? [deltaOutput()] : [];
  return [...outputs, ...both.map(({index}) => deltaWeighting(header, index)), ...memory];
}

/**
 * @param {DeltaModel} model
 * @param {number} head
 * @param {StageName} [stage] Any but the previous weighting.
 * @returns {Values[]} `rows[location][step]`, NaN where one of both has no such step or head.
 */
export function weightingDelta({data, other: {b, rows, offset}}, head, stage = 'weighting') {
  const name = data.header.heads[head].name;
  const same = b.header.heads.findIndex((one) => one.name === name);
  const theirs = same < 0 ? null : b.matrix(stage, same);
  return data.matrix(stage, head).map((row, location) => {
    const from = theirs?.[rows ? rows[location] : location];
    return row.map((value, step) => (from?.[step + offset] ?? NaN) - value);
  });
}

/**
 * @param {DeltaModel} model
 * @returns {Values[]} `rows[location][word]` at the cursor, NaN where B has no such step.
 */
export function memoryDelta({data, step, other: {b, rows, offset}}) {
  const {location: locations, word: words} = data.header.axes;
  const at = step + offset;
  const mine = data.memory(step);
  const theirs = b.holds(at) ? b.memory(at) : null;
  return Array.from({length: locations}, (_, location) => {
    const from = (rows ? rows[location] : location) * words;
    return Float64Array.from({length: words}, (__, word) => (theirs ? theirs[from + word] : NaN) - mine[location * words + word]);
  });
}

/**
 * @param {DeltaModel} model
 * @returns {Values[]} `rows[channel][step]`, NaN where B has no such step.
 */
export function outputDelta({data, other: {b, offset}}) {
  const theirs = b.matrix('outputs');
  return data.matrix('outputs').map((row, channel) => row.map((value, step) => (theirs[channel][step + offset] ?? NaN) - value));
}

/**
 * @param {DeltaModel} model
 * @param {'write'|'read'} kind
 * @returns {Values[]} `rows[word][step]` of the vectors of the selected head, or of the first of its kind; NaN where B has no
 *   such step or head.
 */
export function vectorDelta(model, kind) {
  const {data, other: {b, offset}} = model;
  const field = FIELDS[kind];
  const head = vectorHead(model, kind);
  const heads = kind === 'write' ? b.writeHeads : b.readHeads;
  const theirs = head < heads.length ? b.matrix(field, head) : null;
  return data.matrix(field, head).map((row, word) => row.map((value, step) => (theirs?.[word][step + offset] ?? NaN) - value));
}

const FIELDS = /** @type {const} */ ({write: 'add_vector', read: 'read_vector'});

/** @type {WeakMap<TraceData, Map<string, {other: Other, complete: number, rows: Values[]}>>} The last delta of each stage of each head. */
const kept = new WeakMap();

/**
 * @param {DeltaModel} model
 * @param {number} head
 * @param {StageName} stage
 * @returns {Values[]} The same as `weightingDelta`, computed once.
 */
function keptDelta(model, head, stage) {
  const {data, other, received} = model;
  const heads = kept.get(data) ?? new Map();
  kept.set(data, heads);
  const key = `${stage}/${head}`;
  const last = heads.get(key);
  const complete = received + other.b.received;
  if (last && sameOther(last.other, other) && last.complete === complete) return last.rows;
  const rows = weightingDelta(model, head, stage);
  heads.set(key, {other, complete, rows});
  return rows;
}

/**
 * @param {Other} x
 * @param {Other} y
 */
function sameOther(x, y) {
  return x.b === y.b && x.rows === y.rows && x.offset === y.offset;
}

/**
 * @param {Model} model
 * @returns {DeltaModel} What the page gives to every plot of the Δ column.
 */
function asDelta(model) {
  return /** @type {DeltaModel} */ (model);
}

/**
 * @param {Model} model
 * @returns {unknown[]}
 */
function otherOf(model) {
  const {b, rows, offset} = asDelta(model).other;
  return [b, b.received, rows, offset];
}

/**
 * @param {TraceData['header']} header
 * @param {number} head
 * @returns {PlotSpec}
 */
function deltaWeighting(header, head) {
  const {title, id} = weightingPlot(header, head);
  const words = {id, title, symbol: '<i>w<sub>t</sub></i>(<i>i</i>)', letter: 'w', bar: '<i>w</i>'};
  return {...deltaLocations('weighting', () => head, words), height: 200, selects: head};
}

/** @returns {PlotSpec[]} Of the stages before the weighting of the selected head. */
export function deltaStages() {
  return stageHeatmaps().map((plain, at) => {
    const stage = STAGES[at + 1];
    const {letter} = STAGE_WORDS[stage];
    const plot = deltaLocations(stage, (model) => model.head, {id: plain.id, title: plain.title, symbol: plain.symbol, letter, bar: barSymbol(stage)});
    return {...plot, height: plain.height};
  });
}

/**
 * @param {StageName} stage
 * @param {(model: Model) => number} headOf
 * @param {{id: string, title: string, symbol: string, letter: string, bar: string}} words Of the plot without Δ.
 * @returns {PlotSpec} By how much one stage of a head has more or less weight than in A.
 */
function deltaLocations(stage, headOf, {id, title, symbol, letter, bar}) {
  const rows = (/** @type {Model} */ model) => keptDelta(asDelta(model), headOf(model), stage);
  return timeHeatmap({
    id: `delta-${id}`,
    title: `Δ · ${title}`,
    symbol: `Δ${symbol}`,
    caption: 'Amber: more weight than in A. Blue: less.',
    height: 200,
    rowLink: 'location',
    rowAxis: locationAxisDown,
    layers: (model) => [{rows: rows(model), scale: signedScale(1, model), bar: `Δ${bar}`}],
    depends: (model) => [...otherOf(model), headOf(model)],
    read: (model, step, row) => {
      const value = rows(model)[row]?.[step];
      const {name} = model.data.header.heads[headOf(model)];
      return value === undefined ? null : `t = ${step + 1} · location ${row} · ${name}\nΔ${letter} = ${brief(value)}${matchedLine(asDelta(model), row)}`;
    },
  });
}

/** @returns {PlotSpec} */
function deltaOutput() {
  return timeHeatmap({
    id: 'delta-output',
    title: 'Δ · Output',
    symbol: 'Δ<i>y<sub>t</sub></i>',
    caption: 'Amber: likelier than in A. Blue: less likely.',
    height: 160,
    rowLink: null,
    rowAxis: ({data}) => {
      const channels = data.header.axes.output;
      return {title: 'channel', range: upsideDown([-0.5, channels - 0.5]), values: wholeTicks([0, channels - 1], 4), fixed: true};
    },
    layers: (model) => [{rows: outputDelta(asDelta(model)), scale: signedScale(1, model), bar: 'Δ<i>y</i>'}],
    depends: otherOf,
    read: (model, step, row) => {
      const value = outputDelta(asDelta(model))[row]?.[step];
      return value === undefined ? null : `t = ${step + 1} · ${model.data.header.output_channels[row]}\nΔy = ${brief(value)}`;
    },
  });
}

/**
 * @param {'write'|'read'} kind
 * @returns {PlotSpec}
 */
function deltaVector(kind) {
  const plain = vectorPlot(kind);
  const symbol = kind === 'write' ? 'a' : 'r';
  return timeHeatmap({
    id: `delta-${plain.id}`,
    title: `Δ · ${plain.title}`,
    symbol: `Δ<i>${symbol}<sub>t</sub></i>`,
    caption: 'Amber: above A, blue: below; on the scale of A.',
    height: plain.height,
    rowLink: 'word',
    rowAxis: wordAxisDown,
    layers: (model) => [{rows: vectorDelta(asDelta(model), kind), scale: signedScale(vectorLimit(model, FIELDS[kind]), model), bar: `Δ<i>${symbol}</i>`}],
    depends: (model) => [...otherOf(model), ...plain.depends(model), vectorLimit(model, FIELDS[kind])],
    read: (model, step, row) => {
      const value = vectorDelta(asDelta(model), kind)[row]?.[step];
      return value === undefined ? null : `t = ${step + 1} · element ${row}\nΔ${symbol} = ${brief(value)}`;
    },
  });
}

/** @returns {PlotSpec} */
function deltaMemory() {
  const plain = memoryPlot('after');
  /** @type {CellsOf} */
  const grid = (model, size, _, before) => wordGrid(model, size, {
    rows: memoryDelta(asDelta(model)), scale: signedScale(model.memoryLimit, model), bar: 'Δ<i>M</i>',
  }, before);
  return {
    ...plain,
    id: 'delta-memory',
    title: 'Δ · Memory after',
    symbol: 'Δ<i>M<sub>t</sub></i>',
    caption: 'Amber: above A, blue: below; scale of memory.',
    height: 300,
    depends: (model) => [...plain.depends(model), ...otherOf(model)],
    figure: (model, size) => ({...plain.figure(model, size), traces: heatmaps(grid(model, size), model.theme)}),
    cells: grid,
    read(model, x, y) {
      const [word, location] = [Math.round(x), Math.round(y)];
      const value = memoryDelta(asDelta(model))[location]?.[word];
      return value === undefined ? null : `location ${location} · element ${word}\nΔM = ${brief(value)}${matchedLine(asDelta(model), location)}`;
    },
    note: (model, size) => plain.note?.({...model, reference: null}, size) ?? '',
  };
}

/**
 * @param {DeltaModel} model
 * @param {number} location
 */
function matchedLine({other: {rows, letter}}, location) {
  return rows ? `\nlocation ${rows[location]} in ${letter}` : '';
}
