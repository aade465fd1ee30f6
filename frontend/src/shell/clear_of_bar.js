// How far down the bar with the timeline reaches, for what has to stay clear of it.

/** Room below the bar, in CSS pixels. */
const GAP = 12;

/**
 * @param {HTMLElement} bar Whose height comes and goes with what is in it.
 * @param {AbortSignal} signal
 */
export function keepClearOf(bar, signal) {
  const sizes = new ResizeObserver(() => document.documentElement.style.setProperty('--views-top', `${bar.offsetHeight + GAP}px`));
  sizes.observe(bar);
  signal.addEventListener('abort', () => sizes.disconnect(), {once: true});
}
