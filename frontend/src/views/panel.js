// One plot on the page: its frame, its canvas, its Plotly figure with a sketch of it before and a picture of it while the
// cursor moves, and which of them shows the present.

/** @import {Area} from '../plotly.js' */
/** @import {Figure, Shape} from '../plotly_types.d.ts' */
/** @import {Grid} from './cells.js' */
/** @import {LinkedAxis, Model} from './model.js' */
/** @import {MovingPath} from './moving_paths.js' */
/** @import {Size} from './layout.js' */
import {
  assignZ, drawFigure, isDrawn, onZoom, pictureOf, removeFigure, saveFigure, setShapes, settle,
} from '../plotly.js';
import {clamp} from '../cursor.js';
import {pixelRatio} from '../level_of_detail.js';
import {NO_ZOOM} from '../state.js';
import {CellOverlay} from './cells.js';
import {ColumnCursor} from './column_cursor.js';
import {element, nextFrame, setText} from './dom.js';
import {FigurePicture} from './figure_picture.js';
import {cursorShapes} from './layout.js';
import {MovingPaths} from './moving_paths.js';
import {sketchOf} from '../sketch.js';
import {textWidth} from './text_width.js';

/**
 * How a plot follows the cursor between two drawings of its figure.
 * - `cursor`: the figure stays, with the marks on it; the cursor moves over it.
 * - `cells`: other values each step, on the canvas.
 * - `paths`: other values each step, as lines and areas over the figure.
 * @typedef {{kind: 'cursor', marks: (model: Model) => Shape[]}
 *   | {kind: 'cells'}
 *   | {kind: 'paths', paths: (model: Model, area: Area) => MovingPath[], values: (model: Model) => unknown[]}} Motion
 */

/**
 * A plot's values as cells. Those from column `from` on are needed; what it gave `before`, of the same trace and the same place
 * when less had arrived or at another step, need not be kept.
 * @typedef {(model: Model, size: Size, from?: number, before?: Grid) => Grid} CellsOf
 */

/**
 * @typedef {object} PlotSpec Pure functions that make one plot, and its words.
 * @property {string} id
 * @property {string} title Plain words.
 * @property {string} symbol HTML of the quantity's symbol; constant, never from data.
 * @property {string} caption One line in plain words.
 * @property {number} height Of the plot in CSS pixels.
 * @property {number|null} selects Head that a click selects.
 * @property {{x: LinkedAxis|null, y: LinkedAxis|null}} links
 * @property {(model: Model) => unknown[]} depends When one of these is another, the figure is drawn anew.
 * @property {(model: Model, size: Size) => Area} area
 * @property {(model: Model, size: Size) => Figure} figure
 * @property {CellsOf|null} cells
 * @property {Motion} motion
 * @property {(model: Model, x: number, y: number) => string|null} read What is at a place, with exact values.
 * @property {(model: Model, size: Size) => string} [note] What is shown right now, beside the title.
 */

/** The height of a line of the title above an exported figure, and the width of a letter. */
const [EXPORT_LINE, EXPORT_LETTER] = [17, 7.5];

export class Panel {
  /** @type {Model|null} */ #model = null;
  /** @type {Size} */ #size = {width: 0, height: 0};
  /** @type {CellOverlay|null} */ #overlay = null;
  /** @type {ColumnCursor|null} */ #cursor = null;
  /** @type {MovingPaths|null} */ #paths = null;
  /** @type {FigurePicture} */ #picture;
  /** @type {unknown[]|null} */ #drawn = null;
  /** @type {unknown[]|null} */ #painted = null;
  /** @type {unknown[]|null} What the picture was sketched of that stands in for a figure until Plotly draws it. */ #sketched = null;
  #paintedSteps = 0;
  /** @type {Grid|null} Painted last, if it will be filled again. */ #grid = null;
  #paintedAhead = 0;
  /** @type {unknown[]} */ #followed = [];
  #moved = false;
  #disposed = false;
  /** @type {number|null} */ #pinned = null;
  visible = false;

  /**
   * @param {PlotSpec} spec
   * @param {{zoomed: (panel: Panel, ranges: {x: [number, number]|null, y: [number, number]|null}) => void,
   *   reset: (panel: Panel) => void}} handlers
   */
  constructor(spec, handlers) {
    this.spec = spec;
    this.handlers = handlers;
    this.host = element('div', {class: 'plot-host', 'data-motion': spec.motion.kind, role: 'application', 'aria-roledescription': 'plot', tabindex: '0', 'aria-label': `${spec.title}. ${spec.caption}`});
    this.host.style.height = `${spec.height}px`;
    this.note = element('span', {class: 'plot-note'});
    const symbol = element('span', {class: 'math'});
    symbol.innerHTML = spec.symbol;
    this.element = element('figure', {class: 'plot', 'data-plot': spec.id},
      element('div', {class: 'plot-head'},
        element('h3', {class: 'plot-title'}, spec.title), symbol, this.note, this.#saveMenu()),
      this.host,
      element('figcaption', {class: 'plot-caption'}, spec.caption));
    this.#picture = new FigurePicture(this.host);
    if (spec.cells) {
      this.#overlay = new CellOverlay();
      this.host.append(this.#overlay.element);
    }
    if (spec.motion.kind === 'cursor') {
      this.#cursor = new ColumnCursor();
      this.host.append(this.#cursor.element);
    }
    if (spec.motion.kind === 'paths') {
      this.#paths = new MovingPaths();
      this.host.append(this.#paths.element);
    }
  }

  /** @returns {HTMLElement} */
  #saveMenu() {
    const button = (/** @type {'png'|'svg'} */ format) => {
      const save = element('button', {
        type: 'button', class: 'plot-save', 'aria-label': `Save ${this.spec.title} as ${format.toUpperCase()}`,
      }, format.toUpperCase());
      save.addEventListener('click', () => void this.save(format));
      return save;
    };
    return element('span', {class: 'plot-saves'}, button('png'), button('svg'));
  }

  /** Takes the size of the host anew; `refresh` brings the plot to it. */
  measure() {
    this.#size = {width: this.host.clientWidth, height: this.host.clientHeight};
  }

  /** @param {Model} model */
  update(model) {
    this.#model = model;
    if (this.visible) this.refresh();
  }

  /** Brings the plot to the model: at once where it is cheap; `needsDrawing` tells whether a drawing is due. */
  refresh() {
    const model = this.#model;
    if (!model || this.#size.width === 0) return;
    this.element.toggleAttribute('data-selected', this.spec.selects === model.head);
    const wanted = this.#wanted(model);
    const ahead = this.spec.motion.kind === 'cursor' && !model.complete && model.data.ahead !== this.#paintedAhead;
    if (this.#overlay && (ahead || !same(wanted, this.#painted))) this.#paint(model, wanted);
    else if (this.spec.motion.kind === 'cursor') this.#paintArrived(model);
    this.#cursor?.move(this.spec.area(model, this.#size), model.step);
    this.#follow(model);
    if (!isDrawn(this.host) && !same(wanted, this.#sketched)) void this.#sketch(model, wanted);
  }

  /**
   * Shows what Plotly will draw, from the next frame on: the cells are painted before.
   *
   * @param {Model} model
   * @param {unknown[]} wanted
   */
  async #sketch(model, wanted) {
    this.#sketched = wanted;
    const size = this.#size;
    await nextFrame();
    if (wanted !== this.#sketched || isDrawn(this.host) || this.#disposed) return;
    await this.#picture.take(sketchOf(this.spec.figure(model, size), this.spec.motion.kind === 'cursor', textWidth));
    if (!isDrawn(this.host)) this.#picture.show(true);
  }

  /** Says beside the title what is shown. */
  tell() {
    if (this.visible && this.#model) setText(this.note, this.spec.note?.(this.#model, this.#size) ?? '');
  }

  /** @param {Model} model */
  #wanted(model) {
    const {links} = this.spec;
    const zooms = [links.x, links.y].map((link) => (link ? model.zoom[link] : null));
    return [model.data, model.complete, model.theme, this.#size.width, this.#size.height, pixelRatio(), ...zooms, ...this.spec.depends(model)];
  }

  get needsDrawing() {
    return Boolean(this.#model && this.#size.width > 0 && !same(this.#wanted(this.#model), this.#drawn));
  }

  /** Whether it shows another step than the model's, because it is out of sight. */
  get behind() {
    return Boolean(this.#model && isDrawn(this.host) && !same(placeOf(this.#model), this.#followed));
  }

  /** Whether Plotly's figure is not of the present, which `settle` mends. */
  get unsettled() {
    return this.#moved;
  }

  /** Whether it is in sight, and not yet as it is scrubbed. */
  get unpictured() {
    return this.visible && isDrawn(this.host) && !this.needsDrawing && !this.#picture.shown;
  }

  /**
   * @returns {Promise<void>} When a picture of the figure, with what moves over it, stands in its place until someone
   *   points at it. It does so at rest too: to swap the two when the cursor starts would cost the first frames.
   */
  async takePicture() {
    if (!this.#picture.ready) await this.#picture.take(pictureOf(this.host, this.spec.motion.kind === 'cursor'));
    if (!this.#model || !this.unpictured) return;
    this.#showMoving(this.#model);
    this.#picture.show(true);
  }

  /** @returns {Promise<void>} When the figure has been drawn as the model is now. */
  async draw() {
    const model = this.#model;
    if (!model) return;
    const first = !isDrawn(this.host);
    this.#drawn = this.#wanted(model);
    this.#followed = placeOf(model);
    this.#setMoved(false);
    this.#pinned = model.pinned;
    this.#picture.forget();
    await drawFigure(this.host, this.spec.figure(model, this.#size));
    if (this.#disposed) return;
    if (first) onZoom(this.host, {zoomed: (r) => this.handlers.zoomed(this, r), reset: () => this.handlers.reset(this)});
    if (!this.#moved && !this.needsDrawing) this.#uncover(model);
    this.refresh();
  }

  /** @returns {Promise<void>} When Plotly itself shows what is on screen. */
  async settle() {
    const model = this.#model;
    const {motion, cells} = this.spec;
    this.#moved = false;
    this.#picture.show(false);
    // A drawing that is due brings up all, and rows of another number would not fit this one.
    if (!model || !isDrawn(this.host) || this.needsDrawing) return;
    if (motion.kind === 'cursor') return;
    if (motion.kind === 'cells') await settle(this.host, 'z', cells?.(model, this.#size).layers.map(({rows}) => rows) ?? []);
    else await settle(this.host, 'y', motion.values(model));
    if (this.#moved) return;
    this.#overlay?.show(false);
    this.#setMoved(false);
  }

  /** @param {boolean} moved Whether what moves is shown over the figure, whose own marks are hidden then. */
  #setMoved(moved) {
    this.#moved = moved;
    this.host.toggleAttribute('data-moved', moved);
  }

  /** Nothing is to be drawn for now. */
  rest() {
    this.#model?.data.forgetMatrices();
  }

  /**
   * Takes the canvas away from the figure, which has been drawn; but not where it shows columns that Plotly has not drawn,
   * because the trace is still arriving. One whose cells do not move with the cursor is not needed any more.
   *
   * @param {Model} model
   */
  #uncover({complete}) {
    if (this.spec.motion.kind !== 'cursor') this.#overlay?.show(false);
    else if (complete) this.#overlay?.release();
    else this.#overlay?.show(true);
  }

  /**
   * Paints the canvas as a whole, and shows it unless Plotly has drawn the same.
   *
   * @param {Model} model
   * @param {unknown[]} wanted
   */
  #paint(model, wanted) {
    const {cells, area} = this.spec;
    if (!cells || !this.#overlay) return;
    const grid = cells(model, this.#size);
    this.#overlay.place(area(model, this.#size), grid);
    this.#overlay.paint(grid.layers);
    const arriving = this.spec.motion.kind === 'cursor' && !model.complete;
    this.#overlay.show(this.#moved || arriving || !same(wanted, this.#drawn));
    this.#painted = wanted;
    this.#paintedSteps = model.received;
    this.#grid = arriving || this.spec.motion.kind === 'cells' ? grid : null;
    this.#paintedAhead = model.data.ahead;
  }

  /**
   * Paints the columns that have arrived since, and the last one before, which may have got more steps.
   *
   * @param {Model} model
   */
  #paintArrived(model) {
    if (!this.#overlay || !this.spec.cells || !this.#grid || model.received <= this.#paintedSteps) return;
    const from = Math.max(0, this.#grid.arrived - 1);
    this.#grid = this.spec.cells(model, this.#size, from, this.#grid);
    this.#overlay.paint(this.#grid.layers, from, this.#grid.arrived);
    this.#paintedSteps = model.received;
  }

  /**
   * Moves to the model's step, past Plotly where Plotly is slow.
   *
   * @param {Model} model
   */
  #follow(model) {
    const {motion} = this.spec;
    const place = placeOf(model);
    if (same(place, this.#followed)) return;
    this.#followed = place;
    if (motion.kind === 'cursor') this.#mark(model.pinned, motion.marks(model));
    else this.#showMoving(model);
    this.#setMoved(motion.kind !== 'cursor');
    this.#picture.show(this.visible);
  }

  /**
   * Brings up what lies over the picture.
   *
   * @param {Model} model
   */
  #showMoving(model) {
    const {motion, area} = this.spec;
    if (motion.kind === 'cells') this.#showCells(model);
    else if (motion.kind === 'paths') this.#paths?.draw(area(model, this.#size), motion.paths(model, area(model, this.#size)));
  }

  /**
   * @param {number|null} pinned
   * @param {Shape[]} marks
   */
  #mark(pinned, marks) {
    if (pinned === this.#pinned) return;
    this.#pinned = pinned;
    this.#sketched = null;
    if (!isDrawn(this.host)) return;
    this.#picture.forget();
    setShapes(this.host, marks);
  }

  /** @param {Model} model */
  #showCells(model) {
    if (!this.spec.cells || !this.#overlay) return;
    const wanted = this.#wanted(model);
    const before = same(wanted, this.#painted) ? this.#grid : null;
    this.#grid = this.spec.cells(model, this.#size, 0, before ?? undefined);
    const {layers} = this.#grid;
    this.#overlay.paint(layers);
    this.#overlay.show(true);
    if (isDrawn(this.host) && same(wanted, this.#drawn)) layers.forEach(({rows}, trace) => assignZ(this.host, trace, rows));
  }

  /** @returns {Area|null} Where its axes lie; null before it shows something. */
  get area() {
    return this.#model && this.#size.width > 0 ? this.spec.area(this.#model, this.#size) : null;
  }

  /**
   * @param {{x: number, y: number}} place On the axes.
   * @returns {{left: number, top: number, width: number, height: number}|null} The cell around it, in the host; as high as the
   *   plot where there are no cells.
   */
  boxOf({x, y}) {
    const {area} = this;
    if (!area) return null;
    const [across, down] = [area.width / (area.x[1] - area.x[0]), area.height / (area.y[0] - area.y[1])];
    const left = area.left + (x - 0.5 - area.x[0]) * across;
    if (!this.spec.cells) return {left, top: area.top, width: across, height: area.height};
    const middle = area.top + (y - area.y[1]) * down;
    return {left, top: middle - Math.abs(down) / 2, width: across, height: Math.abs(down)};
  }

  /**
   * Shows so many times as much of the axis across, around a place; all of it where that is as much.
   *
   * @param {number} times
   * @param {number} x
   */
  zoomBy(times, x) {
    const {area} = this;
    if (!area || !this.#model) return;
    const [first, last] = this.spec.area({...this.#model, zoom: NO_ZOOM}, this.#size).x;
    const length = Math.max(2, (area.x[1] - area.x[0]) * times);
    if (length >= last - first) return this.handlers.reset(this);
    const start = clamp(x - length / 2, first, last - length);
    this.handlers.zoomed(this, {x: [start, start + length], y: null});
  }

  /**
   * @param {number} clientX
   * @param {number} clientY
   * @returns {{x: number, y: number}|null} The values of the axes there; null outside the plot's area.
   */
  placeAt(clientX, clientY) {
    const {area} = this;
    if (!area) return null;
    const box = this.host.getBoundingClientRect();
    const {left, top, width, height, x, y} = area;
    const [across, down] = [(clientX - box.left - left) / width, (clientY - box.top - top) / height];
    if (!(across >= 0 && across < 1 && down >= 0 && down < 1)) return null;
    return {x: x[0] + across * (x[1] - x[0]), y: y[1] + down * (y[0] - y[1])};
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {string|null}
   */
  read(x, y) {
    return this.#model && this.spec.read(this.#model, x, y);
  }

  /**
   * Saves the plot as it is now, with its title.
   *
   * @param {'png'|'svg'} format
   */
  async save(format) {
    const model = this.#model;
    if (!model) throw new Error(`There is no trace to save '${this.spec.title}' of`);
    const size = this.#size.width > 0 ? this.#size : {width: 720, height: this.spec.height};
    await saveFigure(() => {
      const figure = this.spec.figure(model, size);
      if (this.#cursor) figure.layout.shapes = [...figure.layout.shapes, ...cursorShapes(model)];
      return withTitle(figure, [this.spec.title, this.spec.note?.(model, size) ?? ''], model);
    }, format, this.#filename(model));
  }

  /** @param {Model} model */
  #filename({data, step}) {
    return [data.header.checkpoint ?? 'trace', this.spec.id, `t${step + 1}`].join('-').replace(/[^\w.-]+/g, '_');
  }

  dispose() {
    this.#disposed = true;
    this.#cursor?.dispose();
    this.#picture.forget();
    removeFigure(this.host);
    this.element.remove();
  }
}

/**
 * Brings plots whose hosts have other sizes now to them. First all is read, then all is written: else the browser lays
 * the page out between every two of them.
 *
 * @param {Panel[]} panels
 */
export function fit(panels) {
  for (const panel of panels) panel.measure();
  for (const panel of panels) if (panel.visible) panel.refresh();
}

/**
 * @param {Model} model
 * @param {string[]} shown What the plot is called, and what it shows right now.
 * @param {number} letters That fit into a line.
 * @returns {string[]} What a saved picture is of, in lines: the plot, the moment, the run, the head that is selected, and whether
 *   something was changed.
 */
export function titleLines({data: {header}, step, head}, shown, letters) {
  const {checkpoint, steps, heads, mode = 'full', interventions = []} = header;
  const changed = mode !== 'full' ? `mode ${mode}` : interventions.length > 0 ? 'edited' : '';
  const parts = [...shown, `t = ${step + 1} of ${steps}`, checkpoint, heads[head] && `head ${heads[head].name}`, changed];
  /** @type {string[]} */
  const lines = [];
  for (const part of parts) {
    if (!part) continue;
    const longer = [...lines.slice(-1), part].join(' · ');
    if (lines.length > 0 && longer.length <= letters) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}

/**
 * @param {Figure} figure
 * @param {string[]} shown
 * @param {Model} model
 * @returns {Figure}
 */
function withTitle({traces, layout}, shown, model) {
  const {margin, height, width} = layout;
  const {theme} = model;
  const lines = titleLines(model, shown, Math.floor((width - 16) / EXPORT_LETTER));
  const above = EXPORT_LINE * lines.length + 22;
  return {
    traces,
    layout: {
      ...layout,
      height: height + above,
      margin: {...margin, t: margin.t + above},
      paper_bgcolor: theme.surface,
      title: {text: lines.join('<br>'), x: 8 / width, xanchor: 'left', y: 1, yanchor: 'top', pad: {t: 20}, font: {size: 13, color: theme.text}},
    },
  };
}

/**
 * What a plot follows between two drawings.
 *
 * @param {Model} model
 * @returns {unknown[]}
 */
function placeOf({step, pinned, reference, head}) {
  return [step, pinned, reference, head];
}

/**
 * @param {unknown[]|null} a
 * @param {unknown[]|null} b
 * @returns {boolean}
 */
function same(a, b) {
  return a !== null && b !== null && a.length === b.length && a.every((value, index) => Object.is(value, b[index]));
}
