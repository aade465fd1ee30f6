import {KEYS} from '../keyboard.js';
import {el, modal} from './dom.js';
import {chooseSingleKeys, singleKeysAct} from './single_keys.js';

/** What to look at, in the order of the page; [term, text]. */
const GUIDE = /** @type {const} */ ([
  ['Time', 'All plots over time share one cursor, t. Drag the timeline, use the keys, or hover over and click any plot.'],
  ['Zoom', 'Drag over a plot: all plots with the same axis follow. A double click on one of them, or Esc, shows all again.'],
  ['Pin', 'P or the pin holds this step; D or Δ then shows what differs from it, in every plot.'],
  ['Upper grid', 'Figure 6 of Graves et al. (2014), live: what goes in and comes out, what the write heads add and the read heads read, and where they look.'],
  ['Addressing', 'How the selected head finds its place: by content, then gated with its last place, then shifted, then sharpened.'],
  ['Addressing modes', 'The list at the top takes a part of addressing away, in every step, and runs the machine again: so you see what the part was for.'],
  ['Edits', 'Click a parameter in the inspector or a cell of a vector and type another number, or drag the bar of a parameter: the machine runs again from that step. Enter takes the number, Esc leaves it; ← → choose a cell where the focus is on one.'],
  ['Branches', '“Fork here” (F) makes a branch of the run at the cursor and puts its parent beside it in the compare view; edits then belong to the branch. The tree of branches stands above the columns.'],
  ['Memory', 'The memory before the step, what is erased and added, and the memory after it. It is rebuilt bit for bit from what the heads did.'],
  ['Wrong bits', 'Vermilion marks in the timeline are steps whose answer is on the wrong side of ½.'],
]);

/** @returns {() => void} Opens the help. */
export function helpPanel() {
  return modal('Keys and reading guide', () => [
    el('dl', {class: 'keys'}, ...KEYS.flatMap(({keys, does}) => [
      el('dt', {}, ...keys.map((key) => (key === '…' ? '…' : el('kbd', {}, key)))),
      el('dd', {}, does),
    ])),
    el('p', {class: 'text-muted'}, 'Keys rest while you type in a field.'),
    singleKeys(),
    el('h3', {}, 'What you see'),
    el('dl', {class: 'guide'}, ...GUIDE.flatMap(([term, text]) => [el('dt', {}, term), el('dd', {}, text)])),
  ]).open;
}

/** A switch for the keys that a stray word or a wrong finger can hit. */
function singleKeys() {
  const box = el('input', {type: 'checkbox', checked: singleKeysAct()});
  box.addEventListener('change', () => chooseSingleKeys(box.checked));
  return el('p', {}, el('label', {}, box, ' Keys of one letter, digit or sign act'));
}
