// A grid of cells to click or to type in: a row for each channel and a column for each step, as in the input's plot.

/** @import {Rows} from './input_rows.js' */
import {clamp} from '../cursor.js';
import {el, replaceChildren} from './dom.js';
import {numericChannels, withCell} from './input_rows.js';

/** @typedef {{step: number, channel: number}} Place */

/**
 * @param {number} value
 * @returns {string} Short enough for a cell.
 */
function cellText(value) {
  return Number.isInteger(value) ? String(value) : value.toFixed(2).replace(/^(-?)0\./, '$1.');
}

export class CellGrid {
  /** @type {Rows} */ rows = [[0]];
  /** @type {Place} The cell that has the focus, or would get it. */ at = {step: 0, channel: 0};
  /** @type {string[]} */ #channels = [];
  /** @type {boolean[]} */ #numeric = [];
  /** @type {HTMLTableCellElement[][]} By step, then channel. */ #cells = [];
  /** @type {number|null} The value that a drag paints. */ #painting = null;
  /** What was pressed last: not every browser's click tells. */ #pointer = 'mouse';
  /** @type {() => void} */ #onEdit;

  /**
   * @param {object} parts
   * @param {() => void} parts.onEdit After a person changed `rows`.
   * @param {(key: string) => boolean} parts.onKey For keys that the grid has no use for; whether it used it.
   * @param {AbortSignal} parts.signal
   */
  constructor({onEdit, onKey, signal}) {
    this.#onEdit = onEdit;
    this.table = el('table', {class: 'cells', role: 'grid', 'aria-label': 'Input: a row for each channel, a column for each step'});
    this.table.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (this.#takeKey(event.key) || onKey(event.key)) event.preventDefault();
    });
    this.table.addEventListener('pointerdown', (event) => this.#press(event));
    this.table.addEventListener('click', (event) => this.#tap(event));
    this.table.addEventListener('pointerover', (event) => this.#paint(event));
    window.addEventListener('pointerup', () => { this.#painting = null; }, {signal});
  }

  /**
   * Shows other rows, and puts the focus into a cell.
   *
   * @param {Rows} rows
   * @param {string[]} channels
   * @param {Place} at
   */
  show(rows, channels, at) {
    this.rows = rows;
    this.#channels = channels;
    this.#numeric = numericChannels(rows, channels);
    this.at = this.#within(at);
    this.#cells = rows.map((_, step) => channels.map((__, channel) => this.#cell(step, channel)));
    replaceChildren(this.table,
      el('thead', {}, el('tr', {}, el('th', {scope: 'col', class: 'cells-corner'}, 't'),
        ...rows.map((_, step) => el('th', {scope: 'col'}, String(step + 1))))),
      el('tbody', {}, ...channels.map((name, channel) => (
        el('tr', {}, el('th', {scope: 'row'}, name), ...this.#cells.map((column) => column[channel]))))));
    this.#focus();
  }

  /** @param {Place} place */
  #within({step, channel}) {
    return {step: clamp(step, 0, this.rows.length - 1), channel: clamp(channel, 0, this.#channels.length - 1)};
  }

  /**
   * @param {number} step
   * @param {number} channel
   */
  #cell(step, channel) {
    const cell = el('td', {role: 'gridcell', tabindex: -1, 'data-step': step, 'data-channel': channel});
    this.#draw(cell, step, channel);
    return cell;
  }

  /**
   * @param {HTMLTableCellElement} cell
   * @param {number} step
   * @param {number} channel
   */
  #draw(cell, step, channel) {
    const value = this.rows[step][channel];
    cell.textContent = value === 0 && !this.#numeric[channel] ? '' : cellText(value);
    cell.dataset.value = value === 0 ? 'zero' : value > 0 ? 'positive' : 'negative';
    cell.setAttribute('aria-label', `step ${step + 1}, ${this.#channels[channel]}: ${cellText(value)}`);
  }

  #focus() {
    const cell = this.#cells[this.at.step][this.at.channel];
    cell.tabIndex = 0;
    cell.focus();
    cell.scrollIntoView({block: 'nearest', inline: 'nearest'});
  }

  /** @param {Place} place */
  #move(place) {
    this.#cells[this.at.step][this.at.channel].tabIndex = -1;
    this.at = this.#within(place);
    this.#focus();
  }

  /**
   * @param {Place} place
   * @param {number} value
   */
  #set({step, channel}, value) {
    if (step >= this.rows.length || this.rows[step][channel] === value) return;
    this.rows = withCell(this.rows, step, channel, value);
    this.#draw(this.#cells[step][channel], step, channel);
    this.#onEdit();
  }

  #toggle() {
    if (this.#numeric[this.at.channel]) this.#typeNumber();
    else this.#set(this.at, this.rows[this.at.step][this.at.channel] === 0 ? 1 : 0);
  }

  /** @param {string} [text] What has been typed so far; the cell's value if nothing. */
  #typeNumber(text) {
    const at = this.at;
    const cell = this.#cells[at.step][at.channel];
    const value = text ?? this.rows[at.step][at.channel];
    const input = el('input', {type: 'number', step: 'any', class: 'cell-input', value, 'aria-label': cell.getAttribute('aria-label')});
    let done = false;
    /** @param {boolean} keep */
    const finish = (keep) => {
      if (done) return;
      done = true;
      const number = input.valueAsNumber;
      this.#draw(cell, at.step, at.channel);
      if (keep && Number.isFinite(number)) this.#set(at, number);
    };
    input.addEventListener('blur', () => finish(true));
    input.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key !== 'Enter' && event.key !== 'Escape') return;
      event.preventDefault();
      finish(event.key === 'Enter');
      cell.focus();
    });
    cell.replaceChildren(input);
    input.focus();
    if (text === undefined) input.select();
  }

  /**
   * @param {string} key
   * @returns {boolean} Whether the grid had a use for it.
   */
  #takeKey(key) {
    const {step, channel} = this.at;
    const moves = /** @type {Record<string, Place>} */ ({
      ArrowLeft: {step: step - 1, channel},
      ArrowRight: {step: step + 1, channel},
      ArrowUp: {step, channel: channel - 1},
      ArrowDown: {step, channel: channel + 1},
      Home: {step: 0, channel},
      End: {step: this.rows.length - 1, channel},
      PageUp: {step: step - 10, channel},
      PageDown: {step: step + 10, channel},
    });
    if (Object.hasOwn(moves, key)) this.#move(moves[key]);
    else if (key === ' ' || key === 'Enter') this.#toggle();
    else if (/^[-.\d]$/.test(key) && this.#numeric[channel]) this.#typeNumber(/\d/.test(key) ? key : '');
    else if (key === '0' || key === '1') this.#set(this.at, Number(key));
    else return false;
    return true;
  }

  /**
   * A finger or a pen changes a cell by a tap: moved, it scrolls.
   *
   * @param {MouseEvent} event
   */
  #tap(event) {
    const place = placeOf(event);
    if (!place || this.#pointer === 'mouse' || event.target instanceof HTMLInputElement) return;
    this.#move(place);
    this.#toggle();
  }

  /** @param {PointerEvent} event */
  #press(event) {
    const place = placeOf(event);
    this.#pointer = event.pointerType;
    if (!place || event.button !== 0 || event.pointerType !== 'mouse' || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    this.#move(place);
    this.#toggle();
    this.#painting = this.#numeric[place.channel] ? null : this.rows[place.step][place.channel];
  }

  /** @param {PointerEvent} event */
  #paint(event) {
    const place = placeOf(event);
    if (!place || this.#painting === null || event.buttons !== 1 || this.#numeric[place.channel]) return;
    this.#set(place, this.#painting);
  }
}

/**
 * @param {Event} event
 * @returns {Place|null} The cell that it happened in.
 */
function placeOf({target}) {
  const cell = target instanceof Element ? target.closest('td') : null;
  return cell ? {step: Number(cell.dataset.step), channel: Number(cell.dataset.channel)} : null;
}
