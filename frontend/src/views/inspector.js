// Everything about one head in one step, in exact digits.

/** @import {Actions} from '../actions.js' */
/** @import {Store} from '../store.js' */
/** @import {Intervention, State, TraceHeader} from '../state.js' */
/** @import {Model} from './model.js' */
/** @import {Scale, Values} from './scales.js' */
/** @import {Bar} from './bar.js' */
/** @import {StripOptions} from './strip.js' */
/** @import {Tooltip} from './tooltip.js' */
import {isRecording, RECORDED} from '../api.js';
import {SEQUENTIAL} from '../colors.js';
import {isEdited, kernelWith, namesOf, touchedWords} from '../interventions.js';
import {logarithmicBar, PART_OF_1} from './bar.js';
import {describeStep, longestWords} from './describe.js';
import {element, formula, roomFor, setHidden, setPressed, setText} from './dom.js';
import {Edits} from './edits.js';
import {exact, signed, tick, typeset} from './format.js';
import {argmax, circularMean, entropyBits, expectedShift, ROUNDING, total} from './measures.js';
import {roundedUp} from './model.js';
import {NumberField} from './number_field.js';
import {bitScale, signedScale} from './scales.js';
import {Strip} from './strip.js';

/** What most machines stay within; more can be typed. */
const STRENGTHS = logarithmicBar(0, 100);
const SHARPENINGS = logarithmicBar(1, 100);

export class Inspector {
  #step = element('strong', {class: 'inspector-step'});
  #steps = element('span', {class: 'inspector-steps'});
  #phase = element('span', {class: 'inspector-phase'});
  #words = element('span', {class: 'inspector-words'});
  #sum = element('p', {class: 'inspector-warning', role: 'note'});
  /** @type {HTMLButtonElement[]} */ #heads;
  /** @type {Map<string, HTMLElement>} */ #numbers = new Map();
  /** @type {Record<string, NumberField>} */ #fields = {};
  /** @type {NumberField[]} */ #shifts = [];
  /** @type {Edits} */ #edits;
  /** @type {Model|null} */ #model = null;
  /** @type {Record<'key'|'erase'|'add'|'read'|'input'|'output'|'target', Strip>} */ #strips;

  /**
   * @param {TraceHeader} header
   * @param {Store} store
   * @param {Tooltip} tooltip
   * @param {Actions} actions
   */
  constructor(header, store, tooltip, actions) {
    this.store = store;
    this.actions = actions;
    this.#edits = new Edits({store, actions});
    /** @type {Pick<StripOptions, 'tell'|'keep'|'digits'>} */
    const shown = {
      tell: (text, event) => {
        if (text !== null || event.pointerType === 'mouse' || !tooltip.kept) tooltip.tell(text, event);
      },
      keep: (text, event) => tooltip.keep(text, event),
      digits: (value) => exact(value, header.dtype),
    };
    this.#heads = header.heads.map(({name}, head) => {
      const button = element('button', {type: 'button', class: 'chip'}, name);
      button.addEventListener('click', () => store.set({head}));
      return button;
    });
    const words = (/** @type {string} */ symbol, /** @type {string} */ quantity) => new Strip({
      ...shown, symbol, name: quantity.replace('_', ' '), label: (index) => `element ${index}`,
      begin: (index) => this.#begin((value) => ({quantity, operation: 'set', word: index, value})),
    });
    const channels = (/** @type {string} */ symbol, /** @type {string} */ name, /** @type {string[]} */ names) => new Strip({
      ...shown, symbol, name, label: (index) => names[index] ?? `element ${index}`,
    });
    this.#strips = {
      key: words('<i>k</i>', 'key'),
      erase: words('<i>e</i>', 'erase_vector'),
      add: words('<i>a</i>', 'add_vector'),
      read: words('<i>r</i>', 'read_vector'),
      input: channels('<i>x</i>', 'input', header.input_channels),
      output: channels('<i>y</i>', 'output', header.output_channels),
      target: channels('<i>ŷ</i>', 'target', header.output_channels),
    };
    this.element = this.#build(header);
  }

  /** @param {TraceHeader} header */
  #build(header) {
    const {key, erase, add, read, input, output, target} = this.#strips;
    const group = element('div', {class: 'inspector-heads', role: 'group', 'aria-label': 'Selected head'}, ...this.#heads);
    return element('aside', {class: 'inspector', 'data-dtype': header.dtype, 'aria-label': 'Inspector: the selected head at the cursor'},
      element('div', {class: 'inspector-top'},
        element('h2', {}, roomFor('span', `t = ${header.steps}`, this.#step), this.#steps), this.#phase),
      group,
      roomFor('p', longestWords(header.shifts, header.axes.location), this.#words),
      section('Parameters', this.#fieldList(
        ['key_strength', '<i>β</i>', 'strength', 'at least 0', STRENGTHS],
        ['interpolation_gate', '<i>g</i>', 'gate', '0 to 1', PART_OF_1],
        ['sharpening', '<i>γ</i>', 'sharpening', 'at least 1', SHARPENINGS],
      ), this.#shiftList(header)),
      this.#edits.element,
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

  /** @param {...[string, string, string, string, Bar]} rows Name, symbol, words, range, bar. */
  #fieldList(...rows) {
    return element('dl', {class: 'numbers'}, ...rows.flatMap(([name, symbol, words, range, bar]) => {
      const label = `inspector-${name}`;
      const field = new NumberField({
        name, label, bar,
        hint: `Change the ${words} in this step (${range}): click to type, or drag: ${bar.words}`,
        begin: () => this.#begin((value) => ({quantity: name, operation: 'set', value})),
      });
      this.#fields[name] = field;
      return [element('dt', {id: label}, formula(symbol), element('span', {class: 'numbers-words'}, words)), field.element];
    }));
  }

  /** @param {TraceHeader} header */
  #shiftList({shifts, config}) {
    const sumsToOne = config.shift_kernel !== 'ones';
    const others = sumsToOne ? ' The other entries are scaled to 1 minus it.' : '';
    return element('dl', {class: 'numbers shifts'}, ...shifts.flatMap((shift, index) => {
      const label = `inspector-shift-${index}`;
      const field = new NumberField({
        name: `shift ${shift}`, label, bar: PART_OF_1,
        hint: `Change s(${signed(tick(shift))}) in this step: click to type, or drag.${others}`,
        begin: () => this.#begin((value, kernel) => ({
          quantity: 'shift_weighting', operation: 'set',
          value: sumsToOne ? kernelWith(kernel, index, value) : Array.from(kernel, (entry, at) => (at === index ? value : entry)),
        })),
      });
      this.#shifts.push(field);
      return [element('dt', {id: label}, formula('<i>s</i>'), element('span', {class: 'numbers-shift'}, `(${signed(tick(shift))})`)), field.element];
    }));
  }

  /**
   * A change of the step and head that are on screen now, even if the cursor has moved on when the number is there.
   *
   * @param {(value: number, kernel: ArrayLike<number>) => Intervention} edit
   * @returns {(value: number) => void}
   */
  #begin(edit) {
    const model = this.#model;
    if (!model) return () => {};
    const {data, step, head} = model;
    const [name] = namesOf(data.header, head);
    if (this.store.get().playing) this.store.set({playing: false});
    return (value) => {
      const made = {...edit(value, data.at('shift_weighting', step, head)), heads: [name], steps: /** @type {[number, number]} */ ([step, step + 1])};
      this.actions.edit(made);
    };
  }

  /** @param {Pick<State, 'request'|'tree'>} state */
  showEdits({request, tree}) {
    if (!request) return;
    const locked = isRecording(request.checkpoint) ? RECORDED : '';
    for (const one of [...Object.values(this.#fields), ...this.#shifts, ...Object.values(this.#strips)]) one.lock(locked);
    this.#edits.update(request, tree, locked);
  }

  /** @param {Model} model */
  update(model) {
    this.#model = model;
    const {data, step, head} = model;
    const {header} = data;
    setText(this.#step, `t = ${step + 1}`);
    setText(this.#steps, `of ${header.steps}`);
    setText(this.#phase, header.phases[data.episode('phase')[step]] ?? '');
    this.#heads.forEach((button, index) => setPressed(button, index === head));
    this.#updateNumbers(model);
    this.#updateStrips(model);
  }

  /** @param {Model} model */
  #updateNumbers({data, step, head}) {
    const {dtype, shifts} = data.header;
    const edited = (/** @type {string} */ quantity) => isEdited(data.header, quantity, head, step);
    for (const [name, field] of Object.entries(this.#fields)) field.update(exact(data.value(name, step, head), dtype), edited(name));
    const kernel = data.at('shift_weighting', step, head);
    const kernelEdited = edited('shift_weighting');
    this.#shifts.forEach((field, index) => field.update(exact(kernel[index], dtype), kernelEdited));
    const weighting = data.at('weighting', step, head);
    const at = argmax(weighting);
    this.#set('peak', at < 0 ? '–' : exact(weighting[at], dtype));
    this.#set('argmax', at < 0 ? '–' : String(at));
    const position = circularMean(weighting);
    this.#set('position', Number.isNaN(position) ? '–' : position.toFixed(3));
    const [shifted, sharpened] = [data.at('shifted_weighting', step, head), entropyBits(weighting)];
    this.#set('entropy', sharpened.toFixed(4));
    this.#set('expected', expectedShift(kernel, shifts).toFixed(4));
    const sum = total(weighting);
    const off = Math.abs(sum - 1) > ROUNDING;
    setHidden(this.#sum, !off);
    if (off) setText(this.#sum, `Σ w = ${typeset(String(Number(sum.toPrecision(6))))}: this weighting does not add up to 1.`);
    setText(this.#words, describeStep({
      interpolationGate: data.value('interpolation_gate', step, head),
      shiftWeighting: kernel,
      shifts,
      sharpening: data.value('sharpening', step, head),
      blurred: total(shifted) === 0 ? NaN : entropyBits(shifted),
      sharpened,
      changed: ['content_weighting', 'gated_weighting', 'shifted_weighting', 'weighting'].some(edited),
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
    const {interventions = []} = data.header;
    const names = interventions.length > 0 ? namesOf(data.header, head) : [];
    /** @type {(strip: Strip, quantity: string, values: Values, scale: Scale) => void} */
    const paint = (strip, quantity, values, scale) => strip.paint(values, scale, touchedWords(interventions, quantity, names, step, values.length));
    const {key, erase, add, read, input, output, target} = this.#strips;
    paint(key, 'key', data.at('key', step, head), signedOf('key'));
    const write = data.writeHeads.indexOf(head);
    erase.show(write >= 0);
    add.show(write >= 0);
    read.show(write < 0);
    if (write >= 0) {
      paint(erase, 'erase_vector', data.at('erase_vector', step, write), {low: 0, high: 1, map: SEQUENTIAL});
      paint(add, 'add_vector', data.at('add_vector', step, write), signedOf('add_vector'));
    } else {
      paint(read, 'read_vector', data.at('read_vector', step, data.readHeads.indexOf(head)), signedOf('read_vector'));
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
