// The one time axis of the page, and what moves its cursor.

/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
import {moveTo, togglePlay} from '../cursor.js';
import {InTurn} from '../views/in_turn.js';
import {el, icon, iconButton, replaceChildren} from './dom.js';
import {timeBand} from './time_band.js';
import {timeFields} from './time_fields.js';

/**
 * @param {HTMLElement} root
 * @param {{store: Store, signal: AbortSignal}} parts
 */
export function mountTimeline(root, {store, signal}) {
  const transport = transportButtons(store);
  const band = timeBand(store);
  const fields = timeFields(store);
  const words = new InTurn([() => {
    band.tell();
    fields.tell();
  }]);
  replaceChildren(root, transport.root, band.root, fields.root);

  /**
   * @param {State} state
   * @param {State|null} previous
   */
  function render(state, previous) {
    transport.render(state, previous);
    band.render(state, previous);
    fields.render(state, previous);
    const sameTrace = state.trace.data === previous?.trace.data;
    if (!sameTrace || state.step !== previous?.step || state.sought !== previous.sought) words.update(sameTrace);
  }
  store.subscribe(render, signal);
  signal.addEventListener('abort', () => words.stop(), {once: true});
  render(store.get(), null);
}

/** @param {Store} store */
function transportButtons(store) {
  /** @param {number} by */
  const step = (by) => {
    const {step: at, sought} = store.get();
    store.set(moveTo(store.get(), (sought ?? at) + by));
  };
  const play = iconButton('play', 'Play (Space)', () => store.set(togglePlay(store.get())), 'button-play');
  const buttons = [
    iconButton('previous', 'Step back (←)', () => step(-1)), play, iconButton('next', 'Step forward (→)', () => step(1)),
  ];
  const root = el('div', {class: 'transport', role: 'group', 'aria-label': 'Playback'}, ...buttons);

  /**
   * @param {State} state
   * @param {State|null} previous
   */
  function render(state, previous) {
    if (previous && state.playing === previous.playing && state.trace.data === previous.trace.data) return;
    for (const button of buttons) button.disabled = !state.trace.data;
    const label = state.playing ? 'Pause (Space)' : 'Play (Space)';
    play.setAttribute('aria-label', label);
    play.title = label;
    replaceChildren(play, icon(state.playing ? 'pause' : 'play'));
  }
  return {root, render};
}
