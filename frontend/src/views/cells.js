// Matrices as coloured cells: as Plotly heatmaps, and on a canvas while they move.

/** @import {Columns, Filling} from '../level_of_detail.js' */
/** @import {Trace} from '../plotly_types.d.ts' */
/** @import {Area} from '../plotly.js' */
/** @import {AxisSpec} from './layout.js' */
/** @import {Scale, Values} from './scales.js' */
/** @import {Theme} from './theme.js' */
import {colorscale, paintCells} from '../colors.js';
import {columnsOf, pooledRows, sharing} from '../level_of_detail.js';
import {setHidden} from './dom.js';
import {tick} from './format.js';
import {colorBar} from './layout.js';

/**
 * One matrix with its colours; several lie over each other, and NaN lets the lower one through.
 * @typedef {object} Layer
 * @property {Values[]} rows `rows[row][column]`
 * @property {(columns: Columns, filling: Filling) => Values[]} [pooled] What `pooledRows` makes of them, where that takes less
 *   than to have them all.
 * @property {Scale} scale
 * @property {string|null} bar Title of its colour bar; null for none.
 * @property {boolean} [gaps] Whether NaN means that nothing is there, rather than a number that is none.
 */

/**
 * Where the cells of layers lie: row r around y + r · height, with row 0 on top, and column c around x + c · width.
 * @typedef {object} Grid
 * @property {number} x
 * @property {number} width
 * @property {number} y
 * @property {number} height
 * @property {number} columns
 * @property {number} arrived How many of the columns have values.
 * @property {Layer[]} layers
 */

/**
 * @param {AxisSpec} axis With row 0 on top.
 * @param {number} count Of the rows.
 * @param {number} pixels
 * @returns {Columns|null} The rows in sight that share one; null if all have room.
 */
export function sharedRows({range: [bottom, top]}, count, pixels) {
  return sharing([top + 0.5, bottom + 0.5], count, pixels);
}

/**
 * @param {Columns|null} shared
 * @param {string} words
 * @returns {string} What a column or a row stands for, if not for one number.
 */
export function pooledNote(shared, words) {
  const span = shared?.span ?? 1;
  return span > 1 ? `largest of ${span} ${words}` : '';
}

/**
 * Layers as cells.
 *
 * @param {Layer[]} layers
 * @param {object} place
 * @param {number} place.x Where the first column of the layers lies.
 * @param {number} place.count How many columns they have.
 * @param {number} [place.received] How many of them have values.
 * @param {Columns|null} place.across Those that share one; null: none do.
 * @param {Columns|null} place.down Rows that share one; null: none do.
 * @param {{arrivedFrom?: (column: number) => number, from?: number, before?: Grid}} [filling] Of `pooledRows`; `before`: with
 *   the columns before `from`, which may be filled on.
 * @returns {Grid}
 */
export function gridOf(layers, {x, count, received = count, across, down}, {before, ...filling} = {}) {
  if (!across && !down) {
    const whole = layers.map(({rows, scale, bar, gaps}) => ({rows, scale, bar, gaps}));
    return {x, width: 1, y: 0, height: 1, columns: count, arrived: received, layers: whole};
  }
  const columns = across ?? columnsOf(0, count, count);
  const {first, span} = down ?? {first: 0, span: 1};
  return {
    x: x + columns.first + (columns.span - 1) / 2,
    width: columns.span,
    y: first + (span - 1) / 2,
    height: span,
    columns: columns.columns,
    arrived: Math.max(0, Math.min(columns.columns, Math.ceil((received - columns.first) / columns.span))),
    layers: layers.map((layer, index) => {
      const {scale, bar, gaps, pooled = (...asked) => pooledRows(layer.rows, ...asked)} = layer;
      const into = /** @type {Float32Array[]|undefined} */ (before?.layers[index].rows);
      return {scale, bar, gaps, rows: pooled(columns, {...filling, down, gaps, into})};
    }),
  };
}

/**
 * @param {Grid} grid
 * @param {Theme} theme
 * @returns {Trace[]}
 */
export function heatmaps({x, width, y, height, layers}, theme) {
  return layers.map(({rows, scale, bar}) => ({
    type: 'heatmap',
    z: [...rows], // a list of its own: Plotly takes one that it has seen for unchanged, and rows may hold other values now
    x0: x,
    dx: width,
    y0: y,
    dy: height,
    zauto: false,
    zmin: scale.low,
    zmax: scale.high,
    colorscale: colorscale(scale.map),
    connectgaps: false,
    hoverinfo: 'skip',
    showscale: bar !== null,
    ...(bar === null ? {} : {colorbar: barOf(scale, bar, theme)}),
  }));
}

/**
 * @param {Scale} scale
 * @param {string} title
 * @param {Theme} theme
 */
function barOf({ticks, labels}, title, theme) {
  return colorBar(theme, {title, values: ticks, labels: labels ?? ticks?.map(tick)});
}

/** A canvas of one pixel a cell, stretched over a plot's area and cut off at its edges. */
export class CellOverlay {
  #canvas = document.createElement('canvas');
  /** @type {CanvasRenderingContext2D} */ #context;
  /** @type {ImageData|null} */ #image = null;
  /** @type {Uint32Array} */ #pixels = new Uint32Array(0);
  /** @type {Uint32Array|null} */ #shown = null;

  constructor() {
    this.element = document.createElement('div');
    this.element.className = 'cell-overlay';
    this.element.hidden = true;
    this.element.append(this.#canvas);
    const context = this.#canvas.getContext('2d');
    if (!context) throw new Error('This browser gives no 2D canvas');
    this.#context = context;
  }

  /**
   * @param {Area} area Of the plot, with row 0 on top.
   * @param {Grid} grid
   */
  place({left, top, width, height, x, y}, {x: first, width: across, y: uppermost, height: down, columns, layers}) {
    const rows = layers[0].rows.length;
    if (this.#canvas.width !== columns || this.#canvas.height !== rows || !this.#image) {
      this.#canvas.width = columns;
      this.#canvas.height = rows;
      this.#image = new ImageData(columns, rows);
      this.#pixels = new Uint32Array(this.#image.data.buffer);
      this.#shown = null;
    }
    const [perX, perY] = [width / (x[1] - x[0]), height / (y[0] - y[1])];
    setBox(this.element, left, top, width, height);
    setBox(this.#canvas, (first - across / 2 - x[0]) * perX, (uppermost - down / 2 - y[1]) * perY, columns * across * perX, rows * down * perY);
  }

  /**
   * Paints columns; the canvas is only touched where that changes a colour, since showing it again costs the most.
   *
   * @param {Layer[]} layers
   * @param {number} [from] First column to paint.
   * @param {number} [to] Column after the last one to paint.
   */
  paint(layers, from = 0, to = this.#canvas.width) {
    if (!this.#image || to <= from) return;
    const {width, height} = this.#image;
    if (from === 0 && to === width) this.#pixels.fill(0);
    for (const {rows, scale} of layers) paintCells(this.#pixels, rows, width, scale, from, to);
    if (!this.#differs()) return;
    if (this.#shown) this.#shown.set(this.#pixels);
    else this.#shown = this.#pixels.slice();
    this.#context.putImageData(this.#image, 0, 0, from, 0, to - from, height);
  }

  #differs() {
    if (!this.#shown) return true;
    for (let index = 0; index < this.#pixels.length; index++) if (this.#pixels[index] !== this.#shown[index]) return true;
    return false;
  }

  /** @param {boolean} shown */
  show(shown) {
    setHidden(this.element, !shown);
  }

  /** Hides it and holds no pixels any more, until it is placed again. */
  release() {
    this.show(false);
    this.#canvas.width = 0;
    this.#canvas.height = 0;
    this.#image = null;
    this.#pixels = new Uint32Array(0);
    this.#shown = null;
  }
}

/**
 * @param {HTMLElement} element
 * @param {number} left
 * @param {number} top
 * @param {number} width
 * @param {number} height
 */
function setBox({style}, left, top, width, height) {
  style.left = `${left}px`;
  style.top = `${top}px`;
  style.width = `${width}px`;
  style.height = `${height}px`;
}
