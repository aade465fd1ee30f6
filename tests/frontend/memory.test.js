import assert from 'node:assert/strict';
import {test} from 'node:test';

import {addInPlace, eraseInPlace, keyframeSpacing, MemoryReplay, writeOperations, writeParts} from '../../frontend/src/memory.js';
import {random, replayed} from './wire_helper.js';

const LOCATIONS = 5;
const WORDS = 4;
const STEPS = 70;

/** Random writes of two heads at every step. */
function example(Numbers, seed = 5) {
  const next = random(seed);
  const vector = (length) => Numbers.from({length}, next);
  const writes = Array.from({length: STEPS}, () => ({
    weightings: [vector(LOCATIONS), vector(LOCATIONS)], erases: [vector(WORDS), vector(WORDS)], adds: [vector(WORDS), vector(WORDS)],
  }));
  return {initial: vector(LOCATIONS * WORDS), writes};
}

test('float32 is rounded after each operation, in the order product, difference, product', () => {
  const [m, w, e, a] = [0.1, 0.7, 0.3, 0.9].map(Math.fround);
  const memory = Float32Array.of(m);
  eraseInPlace(memory, Float32Array.of(w), Float32Array.of(e));
  const kept = Math.fround(1 - Math.fround(w * e));
  assert.equal(memory[0], Math.fround(m * kept));
  addInPlace(memory, Float32Array.of(w), Float32Array.of(a));
  assert.equal(memory[0], Math.fround(Math.fround(m * kept) + Math.fround(w * a)));
});

test('one rounding at the end would give other bits, so the test above can fail', () => {
  const next = random(11);
  const differs = Array.from({length: 1000}, () => [next(), next(), next()].map(Math.fround))
    .filter(([m, w, e]) => Math.fround(m * Math.fround(1 - Math.fround(w * e))) !== Math.fround(m * (1 - w * e)));
  assert.ok(differs.length > 0);
});

test('float64 memories are not rounded', () => {
  const memory = Float64Array.of(0.1);
  eraseInPlace(memory, Float64Array.of(0.7), Float64Array.of(0.3));
  assert.equal(memory[0], 0.1 * (1 - 0.7 * 0.3));
});

test('the order of several write heads', () => {
  const spoken = (order) => writeOperations(2, order).map(({kind, head}) => `${kind} ${head}`);
  assert.deepEqual(spoken('erases_then_adds'), ['erase 0', 'erase 1', 'add 0', 'add 1']);
  assert.deepEqual(spoken('one_by_one'), ['erase 0', 'add 0', 'erase 1', 'add 1']);
  assert.throws(() => writeOperations(2, 'backwards'), /write_order is 'backwards'/);
});

for (const order of ['erases_then_adds', 'one_by_one']) {
  for (const Numbers of [Float32Array, Float64Array]) {
    test(`jumps give what a replay gives: ${order}, ${Numbers.name}`, () => {
      const {initial, writes} = example(Numbers);
      const expected = replayed(initial, (step) => writes[step], STEPS, order);
      const replay = new MemoryReplay(initial, (step) => writes[step], order, STEPS);
      const jumps = [69, 0, 33, 32, 31, 15, 16, 17, 68, 5, 69, ...Array.from({length: STEPS}, (_, step) => step), 40, 1];
      for (const step of jumps) assert.deepEqual(replay.after(step), expected[step]);
      assert.deepEqual(replay.after(-1), initial);
    });
  }
}

test('where interventions changed the memory, each step starts from what it found', () => {
  const {initial, writes} = example(Float32Array);
  const next = random(9);
  const found = Array.from({length: STEPS}, () => Float32Array.from({length: LOCATIONS * WORDS}, next));
  const replay = new MemoryReplay(initial, (step) => writes[step], 'erases_then_adds', STEPS, (step) => found[step]);
  for (const step of [69, 0, 16, 15, 69]) {
    const expected = replayed(found[step], () => writes[step], 1, 'erases_then_adds')[0];
    assert.deepEqual(replay.after(step), expected);
    assert.deepEqual(replay.parts(step).before, found[step]);
    assert.deepEqual(replay.parts(step).after, expected);
  }
  assert.deepEqual(replay.after(-1), initial);
});

test('a memory advances in place as it is replayed, and keeps what jumps start from', () => {
  const counted = counting();
  const expected = replayed(counted.initial, (step) => counted.writes[step % STEPS], 300, 'erases_then_adds');
  const memory = counted.initial.slice();
  for (let step = 0; step < 300; step++) {
    counted.replay.advance(memory, step);
    assert.deepEqual(memory, expected[step]);
  }
  counted.steps = 0;
  assert.deepEqual(counted.replay.after(290), expected[290]);
  assert.ok(counted.steps <= 64, `${counted.steps} steps`);
});

test('memories are kept so often that a jump is quick and all of them fit', () => {
  const memory = (locations, words) => new Float32Array(locations * words);
  assert.equal(keyframeSpacing(memory(128, 20), 10_000), 64);
  assert.equal(keyframeSpacing(memory(1024, 64), 300), 8);
  assert.equal(keyframeSpacing(memory(1024, 64), 2000), 21);
  for (const [locations, words, steps] of [[128, 20, 10_000], [1024, 64, 2000], [4096, 512, 5000], [4096, 512, 10], [1, 1, 1e6]]) {
    const kept = Math.floor(steps / keyframeSpacing(memory(locations, words), steps));
    assert.ok(kept * 4 * locations * words <= 24 * 2 ** 20, `${kept} of ${locations} × ${words}`);
  }
});

/** A replay over 300 steps that counts the steps which it replays. */
function counting() {
  const {initial, writes} = example(Float32Array);
  const replay = new MemoryReplay(initial, (step) => {
    counted.steps += 1;
    return writes[step % STEPS];
  }, 'erases_then_adds', 300);
  const counted = {replay, initial, writes, steps: 0};
  return counted;
}

test('a jump replays at most 64 steps', () => {
  const counted = counting();
  counted.replay.after(299);
  for (const step of [3, 160, 21, 247, 10, 266, 134, 2, 55, 128]) {
    counted.steps = 0;
    counted.replay.after(step);
    assert.ok(counted.steps <= 64, `${counted.steps} steps for a jump to ${step}`);
  }
});

test('memories that were told while a trace arrived are jumped to, also the first time', () => {
  const counted = counting();
  const expected = replayed(counted.initial, (step) => counted.writes[step % STEPS], 300, 'erases_then_adds');
  expected.forEach((memory, step) => counted.replay.keep(step, memory));
  assert.deepEqual(counted.replay.after(290), expected[290]);
  assert.ok(counted.steps <= 64, `${counted.steps} steps`);
});

test('the parts of one step after another are made in the same room, and what they leave is known', () => {
  const {replay, initial, writes} = counting();
  const expected = replayed(initial, (step) => writes[step % STEPS], 300, 'erases_then_adds');
  for (const step of [0, 1, 2, 200, 199, 7]) {
    const parts = replay.parts(step);
    const fresh = writeParts(step > 0 ? expected[step - 1] : initial, writes[step % STEPS], 'erases_then_adds');
    assert.deepEqual(parts, fresh);
    assert.deepEqual(replay.after(step), expected[step]);
    assert.equal(replay.after(step), parts.after);
    assert.equal(replay.parts(step).erased, parts.erased);
  }
});

for (const order of ['erases_then_adds', 'one_by_one']) {
  test(`what is erased and added makes up the difference: ${order}`, () => {
    const {initial, writes} = example(Float32Array);
    const {before, erased, added, after} = writeParts(initial, writes[0], order);
    assert.equal(before, initial);
    assert.deepEqual(after, replayed(initial, (step) => writes[step], 1, order)[0]);
    for (let at = 0; at < after.length; at++) assert.ok(Math.abs(before[at] - erased[at] + added[at] - after[at]) < 1e-6);
    const i = 2;
    const j = 3;
    const expected = writes[0].weightings.reduce((sum, w, head) => sum + w[i] * writes[0].adds[head][j], 0);
    assert.ok(Math.abs(added[i * WORDS + j] - expected) < 1e-6);
  });
}

test('scrubbing through every step takes no more room than the memories that stay', () => {
  const {replay, initial, writes} = counting();
  const expected = replayed(initial, (step) => writes[step % STEPS], 300, 'erases_then_adds');
  const rooms = new Set();
  for (const step of [...Array(300).keys(), ...Array(300).keys()].map((at, index) => (index < 300 ? at : 299 - at))) {
    const {before, after, erased, added} = replay.parts(step);
    assert.deepEqual(after, expected[step]);
    assert.deepEqual(before, step > 0 ? expected[step - 1] : initial);
    for (const room of [before, after, erased, added]) rooms.add(room);
  }
  assert.ok(rooms.size <= 1 + 12 + 2 + Math.floor(300 / keyframeSpacing(initial, 300)), `${rooms.size} memories`);
});

test('what was asked for stays as it is while no more than eleven other steps are asked for', () => {
  const {replay, initial, writes} = counting();
  const expected = replayed(initial, (step) => writes[step % STEPS], 300, 'erases_then_adds');
  const next = random(3);
  /** @type {Map<number, Float32Array>} */
  const asked = new Map();
  const note = (step, memory) => {
    asked.delete(step);
    if (step >= 0) asked.set(step, memory);
    while (asked.size > 12) asked.delete(asked.keys().next().value);
  };
  for (let time = 0; time < 2000; time++) {
    const step = Math.floor(next() * (time % 3 === 0 ? 300 : 20));
    if (next() < 0.5) note(step, replay.after(step));
    else {
      const {before, erased, added, after} = replay.parts(step);
      note(step - 1, before);
      note(step, after);
      const fresh = writeParts(step > 0 ? expected[step - 1] : initial, writes[step % STEPS], 'erases_then_adds');
      assert.deepEqual({before, erased, added, after}, fresh);
    }
    for (const [at, memory] of asked) assert.deepEqual(memory, expected[at], `time ${time}, step ${at}`);
  }
});

test('the parts of a step that is asked for again are the same, and cost nothing', () => {
  const counted = counting();
  const parts = counted.replay.parts(40);
  counted.steps = 0;
  assert.equal(counted.replay.parts(40), parts);
  assert.equal(counted.steps, 0);
  for (let step = 100; step < 130; step++) counted.replay.after(step);
  assert.deepEqual(counted.replay.parts(40), writeParts(counted.replay.after(39), counted.writes[40], 'erases_then_adds'));
});
