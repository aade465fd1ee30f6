// Words and numbers beside the plots and in the time bar. To lay out text is what a frame costs most, and nobody reads sixty
// numbers a second: while the cursor runs, the parts are brought up in turn, one every third frame; as soon as it rests, all
// of them. A first step may be the start of a run: it brings up what is in sight, and when no other follows the rest.

/** Frames from one part to the next. */
const FRAMES = 3;

/** Milliseconds between two steps below which the cursor runs. */
const RUNNING = 80;

export class InTurn {
  #turn = 0;
  #last = -Infinity;
  /** @type {ReturnType<typeof setTimeout>|undefined} */ #rest;

  /**
   * @param {((running: boolean) => void)[]} parts Each brings its words to the present; while the cursor runs, those out of
   *   sight may be left.
   * @param {() => number} [now] In milliseconds.
   */
  constructor(parts, now = () => performance.now()) {
    this.parts = parts;
    this.now = now;
  }

  /** @param {boolean} moved Whether nothing but the step is another than before. */
  update(moved) {
    const before = this.#last;
    this.#last = moved ? this.now() : -Infinity;
    this.stop();
    if (!moved) {
      this.#all(false);
      return;
    }
    if (this.#last - before > RUNNING) this.#all(true);
    else this.#next();
    this.#rest = setTimeout(() => this.#all(false), RUNNING);
  }

  #next() {
    const turn = this.#turn++ / FRAMES;
    if (Number.isInteger(turn)) this.parts[turn % this.parts.length](true);
  }

  /** @param {boolean} running */
  #all(running) {
    for (const part of this.parts) part(running);
  }

  stop() {
    clearTimeout(this.#rest);
  }
}
