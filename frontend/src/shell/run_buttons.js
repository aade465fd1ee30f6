// What can be done with a run, as buttons. All are there at all times, hidden where they do not apply: so the focus of the
// keyboard passes from one to the one that takes its place.

/** @import {Actions} from '../actions.js' */
/** @import {RunInfo} from '../state.js' */
import {isActive} from '../runs.js';
import {confirmed, el, iconButton} from './dom.js';

/**
 * @typedef {object} Shown
 * @property {boolean} watched Whether the run's machine is on screen.
 * @property {number|null} iteration Which one of its series is; null for the newest.
 */

/**
 * @param {object} parts
 * @param {Actions} parts.actions
 * @param {string} parts.word What is on the button that shows the run.
 * @param {(id: string) => void} parts.show
 * @param {boolean} parts.keeps Whether what is on screen can be kept from here.
 * @returns {{root: HTMLElement, update: (run: RunInfo, shown: Shown) => void}}
 */
export function createRunButtons({actions, word, show, keeps}) {
  /** @type {{run: RunInfo, iteration: number|null}|null} */
  let now = null;
  /** @param {(run: RunInfo, iteration: number|null) => void} act */
  const acting = (act) => () => now && act(now.run, now.iteration);
  /** @param {string} label @param {(run: RunInfo, iteration: number|null) => void} act */
  const button = (label, act) => el('button', {type: 'button', class: 'button', onclick: acting(act)}, label);
  const watch = button(word, ({id}) => show(id));
  const pause = button('Pause', ({id}) => void actions.runs.change(id, 'pause'));
  const resume = button('Resume', ({id}) => void actions.runs.change(id, 'resume'));
  const stop = button('Stop', ({id}) => void actions.runs.change(id, 'stop'));
  const keep = button('Keep', ({id, name}, iteration) => void actions.runs.keep(
    iteration === null ? id : `${id}.${iteration}`, iteration === null ? name : `${name} at ${iteration}`));
  const remove = iconButton('trash', 'Delete this run', acting(async ({id, name}) => {
    if (await confirmed(`Delete the run '${name}' and all its checkpoints?`, 'Delete')) void actions.runs.remove(id);
  }));
  const all = [watch, pause, resume, stop, keep, remove];
  const root = el('div', {class: 'run-buttons'}, ...all);
  return {
    root,
    update(run, {watched, iteration}) {
      now = {run, iteration};
      const {status, checkpoint} = run;
      const applies = new Map([
        [watch, !watched && checkpoint],
        [pause, isActive(run)],
        [resume, status === 'paused' || status === 'stopped' || status === 'failed'],
        [stop, isActive(run) || status === 'paused'],
        [keep, keeps && watched && checkpoint],
        [remove, !isActive(run)],
      ]);
      const focused = all.find((one) => one === document.activeElement);
      for (const [one, yes] of applies) one.hidden = !yes;
      if (focused?.hidden) ([pause, resume, ...all].find((one) => !one.hidden))?.focus();
    },
  };
}
