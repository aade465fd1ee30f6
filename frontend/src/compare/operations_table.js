// Which operation each head of each column does: at the cursor in words, and over time as a row of cells.

/** @import {Head} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {TraceData} from '../trace_data.js' */
/** @import {Shown} from './align.js' */
import {moveTo} from '../cursor.js';
import {el, replaceChildren} from '../shell/dom.js';
import {setText} from '../views/dom.js';
import {operationAt} from '../views/operations.js';
import {Slide} from '../views/slide.js';
import {shownColumns} from './align.js';
import {lookOf, operationTrack, runsOf, sharesText} from './operation_track.js';

const SHIFTED = 'w(t − 1) and w(t) both lie on one location by half or more, and of w~(t) at the new one more than half came from w(t − 1)';

/** What the looks mean and the rule for each, in the legend's order; the rules are asked in the order hold, content, shift. */
const LOOKS = [
  ['content', 'content jump', 'No hold: at least half of w(t) lies on one location, and at least half of w~(t) there came through content'],
  ['back', 'shift back', `Neither hold nor content jump: ${SHIFTED}, which is further back`],
  ['stay', 'shift 0', `Neither hold nor content jump: ${SHIFTED}, which is the same: the weighting became wider or narrower`],
  ['forward', 'shift on', `Neither hold nor content jump: ${SHIFTED}, which is further on`],
  ['hold', 'hold', 'At most a tenth of the weighting moved since the step before, wherever it lies'],
  ['mixed', 'mixed', 'None of the others, such as a weighting that lies on no one location'],
  ['unknown', 'unknown', 'A number that is needed is not there, as may be in a recorded trace'],
];

/** @typedef {{letter: string, head: number, data: TraceData, drawn: number, operation: HTMLElement, shares: HTMLElement, cells: HTMLElement, cursor: Slide}} Row */

export class OperationsTable {
  /** @type {Row[]} */ #rows = [];
  #body = el('tbody');
  #key = '';
  /** @type {(TraceData|null)[]} */ #data = [];

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
    this.element = el('section', {class: 'compare-part', 'aria-labelledby': 'compare-operations'},
      el('div', {class: 'section-head'}, el('h3', {id: 'compare-operations'}, 'Addressing, step by step'), legend()),
      el('div', {class: 'table-wrap', tabindex: 0, role: 'group', 'aria-label': 'Operations of each head'},
        el('table', {class: 'operations'},
          el('thead', {}, el('tr', {}, ...['Head', 'Column', 'At the cursor', 'Content / location', 'Over time'].map((name) => el('th', {scope: 'col'}, name)))),
          this.#body)),
      rules());
  }

  /** @param {Shown[]} shown */
  update(shown) {
    const data = shown.map(({state: {trace}}) => (trace.received > 0 ? trace.data : null));
    const key = shown.map(({letter}) => letter).join('');
    if (key !== this.#key || data.some((one, at) => one !== this.#data[at])) this.#build(shown, data);
    this.#key = key;
    this.#data = data;
    for (const row of this.#rows) {
      const one = shown.find(({letter}) => letter === row.letter);
      if (one) updateRow(row, one.state.step);
    }
  }

  /**
   * @param {Shown[]} shown
   * @param {(TraceData|null)[]} data
   */
  #build(shown, data) {
    const names = [...new Set(data.flatMap((one) => one?.header.heads.map(({name}) => name) ?? []))];
    this.#rows = [];
    replaceChildren(this.#body, ...names.flatMap((name) => {
      const columns = shown.flatMap(({letter}, at) => {
        const found = data[at]?.header.heads.findIndex((/** @type {Head} */ head) => head.name === name) ?? -1;
        return data[at] && found >= 0 ? [{letter, data: data[at], head: found}] : [];
      });
      return columns.map(({letter, data: trace, head}, at) => this.#row(letter, trace, head, at === 0 ? {name, rows: columns.length} : null));
    }));
  }

  /**
   * @param {string} letter
   * @param {TraceData} data
   * @param {number} head
   * @param {{name: string, rows: number}|null} group Where it is the first row of a head.
   */
  #row(letter, data, head, group) {
    const [operation, shares] = [el('span', {class: 'operation-name'}), el('span')];
    const cursor = new Slide(el('span', {class: 'operation-cursor'}));
    const cells = el('div', {class: 'operation-cells'}, cursor.element);
    cursor.between('0%', '100%');
    cells.style.setProperty('--steps', String(data.header.steps));
    cells.addEventListener('click', (event) => this.#goTo(letter, cells, event, data.header.steps));
    this.#rows.push({letter, head, data, drawn: 0, operation, shares, cells, cursor});
    return el('tr', {class: group ? 'operations-first' : null},
      group && el('th', {scope: 'rowgroup', rowspan: group.rows}, group.name), el('td', {}, letter), el('td', {}, operation),
      el('td', {class: 'operation-shares'}, shares), el('td', {class: 'operation-time'}, cells));
  }

  /**
   * @param {string} letter
   * @param {HTMLElement} cells
   * @param {MouseEvent} event
   * @param {number} steps
   */
  #goTo(letter, cells, event, steps) {
    const {left, width} = cells.getBoundingClientRect();
    const step = Math.min(steps - 1, Math.floor(((event.clientX - left) / width) * steps));
    const state = this.store.get();
    const offset = shownColumns(state).find((one) => one.letter === letter)?.offset ?? 0;
    this.store.set(moveTo(state, step - offset));
  }
}

/**
 * @param {Row} row
 * @param {number} step
 */
function updateRow(row, step) {
  const track = operationTrack(row.data, row.head);
  if (row.drawn !== track.length) {
    row.drawn = track.length;
    row.cells.replaceChildren(row.cursor.element, ...runsOf(track).map(cellOf));
  }
  const now = track[step] ?? (row.data.holds(step) ? operationAt(row.data, step, row.head) : null);
  setText(row.operation, now?.operation ?? '–');
  const look = now ? lookOf(now.operation) : 'unknown';
  if (row.operation.dataset.look !== look) row.operation.dataset.look = look;
  setText(row.shares, now ? sharesText(now) : '–');
  row.cursor.move(step / row.data.header.steps);
}

/** @param {{look: string, start: number, length: number}} run */
function cellOf({look, start, length}) {
  const cell = el('span', {class: 'operation-cell', 'data-look': look});
  cell.style.setProperty('--start', String(start));
  cell.style.setProperty('--length', String(length));
  return cell;
}

function legend() {
  return el('ul', {class: 'operations-legend', 'aria-label': 'Colours'},
    ...LOOKS.map(([look, text, rule]) => el('li', {'data-look': look, title: rule}, text)));
}

function rules() {
  return el('details', {class: 'operations-rules'}, el('summary', {}, 'When a step is called what'),
    el('dl', {class: 'guide'}, ...LOOKS.flatMap(([, text, rule]) => [el('dt', {}, text), el('dd', {}, `${rule}.`)])));
}
