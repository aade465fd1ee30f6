// What moves along a line with the cursor. It is a paused animation whose time is the place: a browser then asks its compositor
// alone, while for a new `transform` it would look at every layer of the page anew.

/** Milliseconds of the animation, which is never played. */
const DURATION = 1000;

export class Slide {
  /** @type {Animation|null} */ #motion = null;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
  }

  /**
   * @param {string} from Where it is at 0, as a CSS length or a percentage of its own width.
   * @param {string} to Where it is at 1.
   */
  between(from, to) {
    this.dispose();
    const keyframes = [from, to].map((place) => ({transform: `translateX(${place})`}));
    this.#motion = this.element.animate(keyframes, {duration: DURATION, fill: 'both'});
    this.#motion.pause();
  }

  /** @param {number} share Of the way; outside 0 … 1 it stays at an end. */
  move(share) {
    if (this.#motion) this.#motion.currentTime = Math.min(1, Math.max(0, share)) * DURATION;
  }

  dispose() {
    this.#motion?.cancel();
    this.#motion = null;
  }
}
