/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>} Rejects if the signal aborts first.
 */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, {once: true});
  });
}
