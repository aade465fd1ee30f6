import assert from 'node:assert/strict';
import {test} from 'node:test';

import {describeStep, longestWords} from '../../frontend/src/views/describe.js';
import {brief, exact, signed, tick, typeset} from '../../frontend/src/views/format.js';
import {argmax, circularMean, entropyBits, expectedShift, peak, total} from '../../frontend/src/views/measures.js';
import {random} from './wire_helper.js';

const oneHot = (at, count) => Float32Array.from({length: count}, (_, index) => Number(index === at));
const near = (a, b, within = 1e-9) => assert.ok(Math.abs(a - b) <= within, `${a} is not ${b}`);

test('entropy is 0 for one location, log2 N for all alike, 1 bit for two', () => {
  assert.equal(entropyBits(oneHot(3, 128)), 0);
  near(entropyBits(new Float32Array(128).fill(1 / 128)), 7);
  near(entropyBits([0.5, 0, 0.5]), 1);
});

test('the circular mean is the location itself, goes around the end, and is nowhere for a uniform weighting', () => {
  for (const at of [0, 1, 63, 64, 127]) near(circularMean(oneHot(at, 128)), at);
  near(circularMean([0.5, 0, 0, 0, 0, 0, 0, 0.5]), 7.5);
  near(circularMean([0, 0.5, 0.5, 0]), 1.5);
  assert.ok(Number.isNaN(circularMean(new Float32Array(128).fill(1 / 128))));
});

test('rotating a weighting by one location moves its mean by one', () => {
  const next = random(3);
  const weights = Array.from({length: 20}, next).map((value) => value ** 6);
  const turned = [weights.at(-1), ...weights.slice(0, -1)];
  near((circularMean(turned) - circularMean(weights) + 20) % 20, 1, 1e-6);
});

test('sum, peak, argmax and expected shift', () => {
  assert.equal(total([1, 2, 3.5]), 6.5);
  assert.equal(peak([0.5, -3, NaN, 2, -Infinity]), 3);
  assert.equal(argmax([1, 5, 5, 2]), 1);
  near(expectedShift([0.25, 0.25, 0.5], [-1, 0, 1]), 0.25);
});

test('exact digits give back the very number, and no shorter ones do', () => {
  const next = random(11);
  for (let count = 0; count < 2000; count++) {
    const value = Math.fround((next() - 0.5) * 10 ** (20 * next() - 12));
    const digits = exact(value, 'float32');
    assert.equal(Math.fround(Number(digits)), value);
  }
  assert.equal(exact(Math.fround(0.1), 'float32'), '0.1');
  assert.equal(exact(0.1 + 0.2, 'float64'), '0.30000000000000004');
  assert.equal(exact(1, 'float32'), '1');
});

test('numbers for reading', () => {
  assert.deepEqual([brief(0), brief(0.25), brief(12.345), brief(-200), brief(1.5e-9), brief(2e7), brief(NaN)],
    ['0', '0.250', '12.35', '−200.0', '1.5e−9', '2e7', '–']);
  assert.deepEqual([tick(0.30000000000000004), tick(-2)], ['0.3', '−2']);
  assert.deepEqual([signed(tick(1)), signed(tick(-1)), signed(tick(0))], ['+1', '−1', '0']);
  assert.equal(typeset('-1e-7'), '−1e−7');
});

test('a step is told in words', () => {
  const step = {interpolationGate: 0.99, shiftWeighting: [0, 0.02, 0.98], shifts: [-1, 0, 1], sharpening: 5, blurred: 1.2, sharpened: 0.1};
  assert.equal(describeStep(step), 'Looks up by content. Moves 1 location forward. Sharpens from 1.20 to 0.10 bit.');
  assert.equal(describeStep({...step, interpolationGate: 0, shiftWeighting: [0, 1, 0], blurred: 0, sharpened: 0}),
    'Starts from where it was. Stays there. Is sharp already.');
  assert.equal(describeStep({...step, interpolationGate: 0.4, shiftWeighting: [0.5, 0.01, 0.49], sharpened: 1.2}),
    'Mixes 40 % content with 60 % of where it was. Spreads over the shifts −1, +1. Stays as wide as it is (1.20 bit).');
});

test('there is room for the most that a step is told in', () => {
  assert.equal(longestWords([-1, 0, 1], 128),
    'Mixes 50 % content with 50 % of where it was. Spreads over the shifts −1, 0, +1. Stays as wide as it is (7.00 bit).');
  const wide = Array.from({length: 41}, (_, j) => j - 20);
  assert.match(longestWords(wide, 128), /Spreads over the shifts −20, .*, −1\. /);
});

test('a step is told in words that hold for its numbers', () => {
  const step = {interpolationGate: 0.125, shiftWeighting: [0, 0, 0], shifts: [-1, 0, 1], sharpening: 0.5, blurred: 2.8401, sharpened: 2.9612};
  assert.equal(describeStep(step), 'Mixes 13 % content with 87 % of where it was. Is left with nothing by the shift. Widens from 2.84 to 2.96 bit.');
  assert.match(describeStep({...step, shiftWeighting: [0, 1, 0], blurred: NaN}), /it was\. Stays there\.$/, 'nothing was left to sharpen');
  const wide = Array.from({length: 25}, (_, j) => j - 12);
  assert.match(describeStep({...step, shifts: wide, shiftWeighting: wide.map(() => 0.04)}), /Spreads over the shifts −12 to \+12\./);
  assert.match(describeStep({...step, sharpening: 30, blurred: 7, sharpened: 6.998}), /Stays as wide as it is \(7\.00 bit\)\.$/);
});

test('a mean location is found however little weight there is', () => {
  near(circularMean([0, 0, 1e-7, 0, 0]), 2);
  assert.ok(Number.isNaN(circularMean([0, 0, 0])));
  assert.ok(Number.isNaN(circularMean(new Float32Array(8).fill(1e-7))));
});

test('the entropy of what does not add up to 1 is that of its shares', () => {
  near(entropyBits(new Float32Array(16).fill(0.5)), 4);
  near(entropyBits([3, 0, 3]), 1);
  assert.equal(entropyBits([0, 0]), 0);
});

test('a kernel of ones spreads, and a weighting that was changed is not explained by what was asked', () => {
  const step = {interpolationGate: 0, shiftWeighting: [1, 1, 1], shifts: [-1, 0, 1], sharpening: 1, blurred: 1, sharpened: 1};
  assert.match(describeStep(step), /Spreads over the shifts −1, 0, \+1\./);
  assert.match(describeStep({...step, changed: true}), /^Where it looks was changed on the way: [^.]*\.$/);
});

test('what was not recorded has no peak, no entropy, and no words', () => {
  const nothing = Float32Array.of(NaN, NaN);
  assert.equal(argmax(nothing), -1);
  assert.equal(argmax([NaN, 0.25, 0.5, NaN]), 2);
  assert.ok(Number.isNaN(entropyBits(nothing)));
  const step = {interpolationGate: NaN, shiftWeighting: nothing, shifts: [-1, 0, 1], sharpening: NaN, blurred: NaN, sharpened: 3};
  assert.equal(describeStep(step), 'How it got there was not recorded.');
  assert.equal(describeStep({...step, interpolationGate: 1}), 'Looks up by content.');
});
