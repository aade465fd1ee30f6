/** @import {Summary} from '../state.js' */

/**
 * @param {Summary} checkpoint
 * @returns {string} Its machine in a few characters.
 */
export function machineLine({config}) {
  const names = /** @type {Record<string, string>} */ ({lstm: 'LSTM', gru: 'GRU', feedforward: 'feed-forward'});
  return `${names[config.controller] ?? config.controller} · ${config.memory_size} × ${config.word_size}`;
}
