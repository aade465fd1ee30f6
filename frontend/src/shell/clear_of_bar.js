// How far down the bar with the timeline reaches, for what has to stay clear of it.

/** Room below the bar, in CSS pixels. */
const GAP = 12;

/**
 * @param {HTMLElement} bar Whose height comes and goes with what is in it. In a low window its first child alone stays in
 *   sight, in a very low one nothing.
 * @param {AbortSignal} signal
 */
export function keepClearOf(bar, signal) {
  const parts = [bar, /** @type {HTMLElement} */ (bar.firstElementChild)];
  const measure = () => {
    const stays = parts.find((part) => getComputedStyle(part).position === 'sticky');
    document.documentElement.style.setProperty('--views-top', `${(stays?.offsetHeight ?? 0) + GAP}px`);
  };
  const sizes = new ResizeObserver(measure);
  for (const part of parts) sizes.observe(part);
  addEventListener('resize', measure, {signal});
  signal.addEventListener('abort', () => sizes.disconnect(), {once: true});
}
