// Lines and areas that are other ones in each step, over a figure whose own are hidden meanwhile.

/** @import {Area} from '../plotly.js' */

/** @typedef {{d: string, fill: string, stroke: string, width: number}} MovingPath In pixels of the plot's area. */

const SVG = 'http://www.w3.org/2000/svg';

export class MovingPaths {
  element = document.createElementNS(SVG, 'svg');
  /** @type {SVGPathElement[]} */ #paths = [];
  /** @type {Area|null} */ #area = null;

  constructor() {
    this.element.setAttribute('class', 'moving-paths');
    this.element.setAttribute('aria-hidden', 'true');
    this.element.append(steadyGround());
  }

  /**
   * @param {Area} area
   * @param {MovingPath[]} paths The lowest first; as many as before.
   */
  draw(area, paths) {
    this.#place(area);
    paths.forEach(({d, fill, stroke, width}, index) => {
      const path = this.#paths[index] ?? this.#add();
      set(path, 'd', d);
      set(path, 'fill', fill);
      set(path, 'stroke', stroke);
      set(path, 'stroke-width', String(width));
    });
  }

  /** @param {Area} area */
  #place(area) {
    const last = this.#area;
    if (last && last.left === area.left && last.top === area.top && last.width === area.width && last.height === area.height) return;
    this.#area = area;
    const {style} = this.element;
    [style.left, style.top, style.width, style.height] = [area.left, area.top, area.width, area.height].map((value) => `${value}px`);
  }

  #add() {
    const path = document.createElementNS(SVG, 'path');
    this.#paths.push(path);
    this.element.append(path);
    return path;
  }
}

/**
 * @returns {SVGRectElement} Nothing to be seen: it keeps what is painted as large as it was, for where that changes a browser
 *   composes all layers of the page anew.
 */
function steadyGround() {
  const ground = document.createElementNS(SVG, 'rect');
  for (const [name, value] of [['x', '-50%'], ['y', '-50%'], ['width', '200%'], ['height', '200%'], ['fill-opacity', '0']]) ground.setAttribute(name, value);
  return ground;
}

/**
 * @param {Element} target
 * @param {string} name
 * @param {string} value
 */
function set(target, name, value) {
  if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}
