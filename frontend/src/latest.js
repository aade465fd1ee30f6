// Work of which only the latest counts: each piece that begins ends the one before.

export class Latest {
  /** @type {AbortController|null} */ #current = null;

  /** @returns {AbortSignal} Of the piece that begins now; it aborts when another begins. */
  begin() {
    this.end();
    this.#current = new AbortController();
    return this.#current.signal;
  }

  /** Ends the piece under way, if there is one. */
  end() {
    this.#current?.abort();
    this.#current = null;
  }
}
