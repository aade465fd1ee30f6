// Measures every column over many sequences, one after the other, when a person asks for it.

/** @import {Api} from '../api.js' */
/** @import {Failure, State} from '../state.js' */
/** @import {Store} from '../store.js' */
/** @import {Metrics, MetricsRequest} from './metrics.js' */
import {keepFocus} from '../focus.js';
import {el, replaceChildren} from '../shell/dom.js';
import {setHidden, setIdle, setText} from '../views/dom.js';
import {patiently} from './column_loader.js';
import {LETTERS} from './columns.js';
import {lengthsFrom, metricsRequest, metricsRows, notMeasured} from './metrics.js';

/** @typedef {{asked: string, result: Metrics|null, error: Failure|null}} Measured Of one column; `asked` is the request as JSON. */

export class MetricsPanel {
  /** @type {AbortController|null} Of the measurement that is running. */ #running = null;
  /** @type {Measured[]} */ #measured = [];
  /** @type {unknown[]} What `update` has seen last. */ #seen = [];
  #sequences = el('input', {class: 'number', type: 'number', id: 'metrics-sequences', min: 1, max: 1000, value: 100, required: true});
  #lengths = el('input', {class: 'number metrics-lengths', type: 'text', id: 'metrics-lengths', placeholder: "the task's own", inputmode: 'numeric'});
  #problem = el('span', {class: 'metrics-problem', role: 'alert'});
  #start = el('button', {type: 'submit', class: 'button', id: 'measure'}, 'Measure');
  #cancel = el('button', {type: 'button', class: 'button', hidden: true, onclick: () => this.#running?.abort()}, 'Cancel');
  #progress = el('progress', {hidden: true, max: 1, 'aria-label': 'Progress of the measurement'});
  #note = el('span', {class: 'section-note', role: 'status'});
  #table = el('div', {class: 'table-wrap', tabindex: 0, role: 'group', 'aria-label': 'Metrics of each column', hidden: true});

  /** @param {{store: Store, api: Api, signal: AbortSignal}} parts */
  constructor({store, api, signal}) {
    this.store = store;
    this.api = api;
    const form = el('form', {class: 'metrics-form'},
      el('label', {class: 'field'}, el('span', {class: 'field-label'}, 'Sequences of each length'), this.#sequences),
      el('label', {class: 'field'}, el('span', {class: 'field-label'}, 'Lengths'), this.#lengths),
      this.#problem, this.#start, this.#cancel, this.#progress, this.#note);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (!this.#running) void this.#measure();
    });
    this.#lengths.addEventListener('input', () => this.#check());
    form.addEventListener('input', () => this.update(store.get()));
    signal.addEventListener('abort', () => this.#running?.abort(), {once: true});
    this.element = el('section', {class: 'compare-part', 'aria-labelledby': 'compare-metrics'},
      el('div', {class: 'section-head'}, el('h3', {id: 'compare-metrics'}, 'Over many sequences'), form), this.#table);
  }

  /** Says what is wrong with the lengths; as long as something is, the browser does not submit the form. */
  #check() {
    const {problem} = lengthsFrom(this.#lengths.value);
    this.#lengths.setCustomValidity(problem);
    setText(this.#problem, problem);
  }

  /** @param {State} state Says so where what was measured is no longer what the columns show. */
  update(state) {
    const seen = [state.request, state.columns, this.#measured, this.#sequences.value, this.#lengths.value];
    if (this.#running || this.#measured.length === 0 || seen.every((part, at) => part === this.#seen[at])) return;
    this.#seen = seen;
    const now = this.#requests(state).map((one) => JSON.stringify(one));
    const same = now.length === this.#measured.length && now.every((asked, at) => asked === this.#measured[at].asked);
    setText(this.#note, same ? 'Median, and range over the sequences.' : 'Columns or settings have changed since: measure again.');
  }

  /**
   * @param {State} state
   * @returns {(MetricsRequest|null)[]} One a column.
   */
  #requests(state) {
    const options = {sequences: Number(this.#sequences.value), lengths: lengthsFrom(this.#lengths.value).lengths};
    return [null, ...state.columns].map((column) => metricsRequest(state, column, options));
  }

  async #measure() {
    this.#running = new AbortController();
    const {signal} = this.#running;
    const requests = this.#requests(this.store.get());
    this.#measured = [];
    this.#show();
    for (const [at, asked] of requests.entries()) {
      this.#measured.push(await this.#one(asked, at, requests.length, signal));
      if (signal.aborted) break;
      this.#show();
    }
    this.#running = null;
    if (signal.aborted) this.#measured = this.#measured.slice(0, -1);
    this.#show();
    if (signal.aborted) setText(this.#note, 'Cancelled.');
    else this.update(this.store.get());
  }

  /**
   * @param {MetricsRequest|null} asked
   * @param {number} at
   * @param {number} columns
   * @param {AbortSignal} signal
   * @returns {Promise<Measured>}
   */
  async #one(asked, at, columns, signal) {
    const key = JSON.stringify(asked);
    if (!asked) return {asked: key, result: null, error: {code: 'one_sequence', message: 'it is of one sequence: recorded, or taking from another run'}};
    setText(this.#note, `Column ${LETTERS[at]}…`);
    const tell = (/** @type {{done: number, total: number}} */ {done, total}) => {
      this.#progress.value = (at + done / Math.max(1, total)) / columns;
    };
    try {
      return {asked: key, result: await patiently(() => this.api.measure(asked, tell, signal), signal), error: null};
    } catch (error) {
      return {asked: key, result: null, error: notMeasured(this.store.get(), asked, error)};
    }
  }

  #show() {
    const busy = this.#running !== null;
    keepFocus(this.#cancel, () => setHidden(this.#cancel, !busy), () => [this.#start]);
    setHidden(this.#progress, !busy);
    setIdle(this.#start, busy);
    setHidden(this.#table, this.#measured.length === 0);
    replaceChildren(this.#table, metricsTable(this.#measured));
  }
}

/** @param {Measured[]} measured */
function metricsTable(measured) {
  const rows = metricsRows(measured.map(({result}) => result));
  return el('table', {class: 'operations metrics'},
    el('thead', {}, el('tr', {}, ...['Length', 'Quantity'].map((name) => el('th', {scope: 'col'}, name)),
      ...measured.map(({error}, at) => el('th', {scope: 'col'}, `${LETTERS[at]}${error ? `: ${error.message}` : ''}`)))),
    el('tbody', {}, ...rows.map(({length, quantity, cells}, at) => {
      const first = rows[at - 1]?.length !== length;
      const span = rows.filter((row) => row.length === length).length;
      return el('tr', {class: first ? 'operations-first' : null},
        first && el('th', {scope: 'rowgroup', rowspan: span}, String(length)), el('th', {scope: 'row', class: 'metrics-quantity'}, quantity),
        ...cells.map((cell) => el('td', {}, cell ?? '–')));
    })));
}
