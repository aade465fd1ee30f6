// A still picture of a figure, shown in its place while it is scrubbed: a browser walks through every mark of a live
// figure in each frame, a thousand a plot, but draws a picture in one go.

import {element} from './dom.js';

export class FigurePicture {
  #image = element('img', {class: 'plot-picture', alt: '', 'aria-hidden': 'true'});
  #turn = 0;
  ready = false;
  shown = false;

  /** @param {HTMLElement} host The figure's; while the picture is shown it has the attribute `data-pictured`. */
  constructor(host) {
    this.host = host;
    host.append(this.#image);
  }

  /**
   * @param {string} svg
   * @returns {Promise<void>} When the picture can be shown; it is dropped if the figure has changed meanwhile.
   */
  async take(svg) {
    const turn = ++this.#turn;
    const address = URL.createObjectURL(new Blob([svg], {type: 'image/svg+xml'}));
    const next = new Image();
    next.src = address;
    await next.decode();
    if (turn !== this.#turn) {
      URL.revokeObjectURL(address);
      return;
    }
    this.#release();
    this.#image.src = address;
    await this.#image.decode().catch((error) => {
      if (turn === this.#turn) throw error;
    });
    this.ready = turn === this.#turn;
  }

  /** The figure is another now. */
  forget() {
    this.show(false);
    this.#turn++;
    this.ready = false;
    this.#release();
    this.#image.removeAttribute('src');
  }

  #release() {
    if (this.#image.src) URL.revokeObjectURL(this.#image.src);
  }

  /** @param {boolean} wanted Shown only if it is ready. */
  show(wanted) {
    const shown = wanted && this.ready;
    if (shown === this.shown) return;
    this.shown = shown;
    this.host.toggleAttribute('data-pictured', shown);
  }
}
