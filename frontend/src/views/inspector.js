// Everything about one head in one step, in exact digits.

/** @import {Store} from '../store.js' */
/** @import {TraceHeader} from '../state.js' */
/** @import {Model} from './model.js' */
/** @import {Tooltip} from './tooltip.js' */
import {SEQUENTIAL} from '../colors.js';
import {describeStep} from './describe.js';
import {element, formula, setHidden, setPressed, setText} from './dom.js';
import {brief, exact, signed, tick, typeset} from './format.js';
import {argmax, circularMean, entropyBits, expectedShift, total} from './measures.js';
import {roundedUp} from './model.js';
import {bitScale, signedScale} from './scales.js';
import {Strip} from './strip.js';

/** How far Σ w may be from 1 by rounding alone. */
const ROUNDING = 1e-5;

export class Inspector {
  #step = element('strong', {class: 'inspector-step'});
  #steps = element('span', {class: 'inspector-steps'});
  #phase = element('span', {class: 'inspector-phase'});
  #words = element('p', {class: 'inspector-words'});
  #sum = element('p', {class: 'inspector-warning', role: 'note'});
  /** @type {HTMLButtonElement[]} */ #heads;
  /** @type {Map<string, HTMLElement>} */ #numbers = new Map();
  /** @type {HTMLElement[]} */ #shifts = [];
  /** @type {Record<'key'|'erase'|'add'|'read'|'input'|'output'|'target', Strip>} */ #strips;

  /**
   * @param {TraceHeader} header
   * @param {Store} store
   * @param {Tooltip} tooltip
   */
  constructor(header, store, tooltip) {
    this.#heads = header.heads.map(({name}, head) => {
      const button = element('button', {type: 'button', class: 'chip'}, name);
      button.addEventListener('click', () => store.set({head}));
      return button;
    });
    const strip = (/** @type {string} */ symbol, /** @type {string} */ name, /** @type {string[]} */ channels = []) => (
      new Strip(symbol, name, (text, event) => tooltip.tell(text, event), (value, index) => (
        `${name}, ${channels[index] ?? `element ${index}`}\n${typeset(exact(value, header.dtype))}`)));
    this.#strips = {
      key: strip('<i>k</i>', 'key'),
      erase: strip('<i>e</i>', 'erase vector'),
      add: strip('<i>a</i>', 'add vector'),
      read: strip('<i>r</i>', 'read vector'),
      input: strip('<i>x</i>', 'input', header.input_channels),
      output: strip('<i>y</i>', 'output', header.output_channels),
      target: strip('<i>ŷ</i>', 'target', header.output_channels),
    };
    this.element = this.#build(header);
  }

  /** @param {TraceHeader} header */
  #build(header) {
    const {key, erase, add, read, input, output, target} = this.#strips;
    const group = element('div', {class: 'inspector-heads', role: 'group', 'aria-label': 'Selected head'}, ...this.#heads);
    return element('aside', {class: 'inspector', 'data-dtype': header.dtype, 'aria-label': 'Inspector: the selected head at the cursor'},
      element('div', {class: 'inspector-top'},
        element('h2', {}, this.#step, this.#steps), this.#phase),
      group,
      this.#words,
      section('Parameters', this.#list(
        ['key_strength', '<i>β</i>', 'strength'],
        ['interpolation_gate', '<i>g</i>', 'gate'],
        ['sharpening', '<i>γ</i>', 'sharpening'],
      ), this.#shiftList(header.shifts)),
      section('Weighting', this.#list(
        ['peak', '<i>w</i><sub>max</sub>', 'peak'],
        ['argmax', '<i>i</i><sub>max</sub>', 'at location'],
        ['position', '<i>ī</i>', 'position'],
        ['entropy', '<i>H</i>', 'entropy, bit'],
        ['expected', '∑ <i>j s<sub>j</sub></i>', 'mean shift'],
      ), this.#sum),
      section('Vectors', key.element, erase.element, add.element, read.element),
      section('Episode', input.element, output.element, target.element));
  }

  /** @param {...[string, string, string]} rows Name, symbol, words. */
  #list(...rows) {
    return element('dl', {class: 'numbers'}, ...rows.flatMap(([name, symbol, words]) => {
      const value = element('dd', {'data-number': name});
      this.#numbers.set(name, value);
      return [element('dt', {}, formula(symbol), element('span', {class: 'numbers-words'}, words)), value];
    }));
  }

  /** @param {number[]} shifts */
  #shiftList(shifts) {
    return element('dl', {class: 'numbers shifts'}, ...shifts.flatMap((shift) => {
      const value = element('dd', {'data-number': `shift ${shift}`});
      this.#shifts.push(value);
      return [element('dt', {}, formula('<i>s</i>'), element('span', {class: 'numbers-shift'}, `(${signed(tick(shift))})`)), value];
    }));
  }

  /** @param {Model} model */
  update(model) {
    const {data, step, head} = model;
    const {header} = data;
    setText(this.#step, `t = ${step + 1}`);
    setText(this.#steps, `of ${header.steps}`);
    this.#step.style.setProperty('--digits', String(String(header.steps).length));
    setText(this.#phase, header.phases[data.episode('phase')[step]] ?? '');
    this.#heads.forEach((button, index) => setPressed(button, index === head));
    this.#updateNumbers(model);
    this.#updateStrips(model);
  }

  /** @param {Model} model */
  #updateNumbers({data, step, head}) {
    const {dtype, shifts} = data.header;
    for (const name of ['key_strength', 'interpolation_gate', 'sharpening']) {
      this.#set(name, exact(data.value(name, step, head), dtype));
    }
    const kernel = data.at('shift_weighting', step, head);
    this.#shifts.forEach((value, index) => {
      setExact(value, exact(kernel[index], dtype));
      value.style.setProperty('--part', String(kernel[index]));
    });
    const weighting = data.at('weighting', step, head);
    const at = argmax(weighting);
    this.#set('peak', at < 0 ? '–' : exact(weighting[at], dtype));
    this.#set('argmax', at < 0 ? '–' : String(at));
    const position = circularMean(weighting);
    this.#set('position', Number.isNaN(position) ? '–' : position.toFixed(3));
    const sharpened = entropyBits(weighting);
    this.#set('entropy', sharpened.toFixed(4));
    this.#set('expected', expectedShift(kernel, shifts).toFixed(4));
    const sum = total(weighting);
    const off = Math.abs(sum - 1) > ROUNDING;
    setHidden(this.#sum, !off);
    if (off) setText(this.#sum, `Σ w = ${brief(sum)}: this weighting does not add up to 1.`);
    setText(this.#words, describeStep({
      interpolationGate: data.value('interpolation_gate', step, head),
      shiftWeighting: kernel,
      shifts,
      sharpening: data.value('sharpening', step, head),
      blurred: entropyBits(data.at('shifted_weighting', step, head)),
      sharpened,
    }));
  }

  /**
   * @param {string} name
   * @param {string} digits
   */
  #set(name, digits) {
    const target = this.#numbers.get(name);
    if (target) setExact(target, digits);
  }

  /** @param {Model} model */
  #updateStrips(model) {
    const {data, series, step, head} = model;
    const signedOf = (/** @type {'key'|'add_vector'|'read_vector'} */ name) => signedScale(roundedUp(series.peak(name)), model);
    const {key, erase, add, read, input, output, target} = this.#strips;
    key.paint(data.at('key', step, head), signedOf('key'));
    const write = data.writeHeads.indexOf(head);
    erase.show(write >= 0);
    add.show(write >= 0);
    read.show(write < 0);
    if (write >= 0) {
      erase.paint(data.at('erase_vector', step, write), {low: 0, high: 1, map: SEQUENTIAL});
      add.paint(data.at('add_vector', step, write), signedOf('add_vector'));
    } else {
      read.paint(data.at('read_vector', step, data.readHeads.indexOf(head)), signedOf('read_vector'));
    }
    input.paint(data.at('inputs', step), bitScale(model));
    output.paint(data.at('outputs', step), bitScale(model));
    const asked = data.episode('mask')[step] > 0;
    target.show(asked);
    if (asked) target.paint(data.at('targets', step), bitScale(model));
  }
}

/**
 * @param {string} title
 * @param {...HTMLElement} children
 */
function section(title, ...children) {
  return element('section', {}, element('h3', {}, title), ...children);
}

/**
 * Shows digits with a typographic minus, and keeps them as they are for programs.
 *
 * @param {HTMLElement} target
 * @param {string} digits
 */
function setExact(target, digits) {
  if (target.dataset.value === digits) return;
  target.dataset.value = digits;
  setText(target, typeset(digits));
}
