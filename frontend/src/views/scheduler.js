/** @import {Panel} from './panel.js' */
import {nextFrame} from './dom.js';

/** Milliseconds without a move after which moved plots are settled and plots out of sight are drawn. */
const IDLE = 250;

/**
 * Draws plots one a frame: those in sight first, and when nothing moves, what was moved, then the pictures that are
 * scrubbed with, and last the plots out of sight.
 */
export class Scheduler {
  /** @type {Panel[]} */ #panels = [];
  #ready = false;
  #running = false;
  #lastMove = -Infinity;

  /**
   * @param {AbortSignal} signal
   * @param {{failed: (error: unknown) => void, rested: () => void}} tell `rested` when nothing moves and all is drawn.
   */
  constructor(signal, tell) {
    this.signal = signal;
    this.tell = tell;
  }

  /** @param {Panel[]} panels */
  setPanels(panels) {
    this.#panels = panels;
    this.wake();
  }

  /** Plotly has loaded. */
  start() {
    this.#ready = true;
    this.wake();
  }

  /** The cursor has moved. */
  moved() {
    this.#lastMove = performance.now();
  }

  /** @returns {Promise<void>} When nothing has moved for a while. */
  async still() {
    while (this.#wait() > 0) await new Promise((resolve) => setTimeout(resolve, this.#wait()));
  }

  /** @returns {number} Milliseconds until nothing has moved for long enough. */
  #wait() {
    return this.#lastMove + IDLE - performance.now();
  }

  /** Something may be due. */
  wake() {
    if (!this.#ready || this.#running || this.signal.aborted) return;
    this.#running = true;
    requestAnimationFrame(() => void this.#run());
  }

  async #run() {
    try {
      while (!this.signal.aborted && await this.#next()) await nextFrame();
    } catch (error) {
      this.tell.failed(error);
    } finally {
      this.#running = false;
    }
  }

  /** @returns {Promise<boolean>} Whether there may be more to do. */
  async #next() {
    const due = this.#panels.find((panel) => panel.visible && panel.needsDrawing);
    if (due) {
      await due.draw();
      return true;
    }
    if (this.#wait() > 0) {
      await new Promise((resolve) => setTimeout(resolve, this.#wait()));
      return true;
    }
    const unsettled = this.#panels.find((panel) => panel.unsettled);
    const unpictured = this.#panels.find((panel) => panel.unpictured);
    const unseen = this.#panels.find((panel) => panel.needsDrawing);
    const behind = this.#panels.find((panel) => panel.behind);
    if (unsettled) await unsettled.settle();
    else if (unpictured) await unpictured.takePicture();
    else if (unseen) await unseen.draw();
    else if (behind) behind.refresh();
    else this.#rest();
    return Boolean(unsettled ?? unpictured ?? unseen ?? behind);
  }

  #rest() {
    for (const panel of this.#panels) panel.rest();
    this.tell.rested();
  }
}
