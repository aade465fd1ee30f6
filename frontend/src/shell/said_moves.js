// What a person changes by a key or a button, in words for who listens: said once it rests, and never while it plays.

/** @import {State} from '../state.js' */
/** @import {Store} from '../store.js' */
import {setText} from '../views/dom.js';
import {placeWords} from './phases.js';

/** Milliseconds without a change after which it is said. */
const REST = 400;

/** A plot that says by itself what is at the cursor, when it has the focus. */
const OVER_TIME = '.plot-host[data-motion="cursor"]';

/** What is said when it changes. */
const SAID = /** @type {const} */ (['step', 'sought', 'head', 'pinned', 'diff', 'loop', 'speed', 'playing']);

/**
 * @param {State} before
 * @param {State} now With a trace.
 * @param {string} [focused] Id of the element that has the focus, and says by itself what it changes.
 * @returns {string} What has changed; empty if nothing has.
 */
export function moveWords(before, now, focused = '') {
  const {trace: {data}, head, pinned, diff, loop, speed} = now;
  const ended = before.playing && !now.playing;
  const [from, to] = [before, now].map(({sought, step}) => sought ?? step);
  const end = ended && (to + 1 === data?.header.steps ? 'the end, ' : 'paused, ');
  return [
    (ended || (from !== to && focused !== 'step')) && `${end || ''}${placeWords(now)}`,
    pinned !== before.pinned && (pinned === null ? 'unpinned' : `pinned t = ${pinned + 1}`),
    diff !== before.diff && `difference ${diff ? 'on' : 'off'}`,
    head !== before.head && `head ${data?.header.heads[head].name}`,
    loop !== before.loop && (loop ? `loop t = ${loop[0] + 1} to ${loop[1] + 1}` : 'no loop'),
    speed !== before.speed && focused !== 'speed' && `speed ×${speed}`,
  ].filter(Boolean).join(', ');
}

/**
 * @param {HTMLElement} root A live region.
 * @param {{store: Store, signal: AbortSignal}} parts
 */
export function mountSaidMoves(root, {store, signal}) {
  /** What the words that come next are compared with. */
  let before = store.get();
  /** @type {ReturnType<typeof setTimeout>|undefined} */
  let timer;

  function say() {
    const now = store.get();
    const focused = document.activeElement;
    const says = focused?.matches(OVER_TIME) ? 'step' : focused?.id;
    if (now.trace.data) setText(root, moveWords(before, now, says));
    before = now;
  }

  store.subscribe((state, previous) => {
    const changed = SAID.filter((key) => state[key] !== previous[key]);
    if (changed.length === 0) return;
    clearTimeout(timer);
    setText(root, '');
    // What comes with another trace is not what a person has moved.
    if (state.trace.data !== previous.trace.data) before = {...before, ...Object.fromEntries(changed.map((key) => [key, state[key]]))};
    if (!state.playing) timer = setTimeout(say, REST);
    else if (!before.playing) before = state;
  }, signal);
  signal.addEventListener('abort', () => clearTimeout(timer), {once: true});
}
