import assert from 'node:assert/strict';
import {test} from 'node:test';

import {logarithmicBar, PART_OF_1} from '../../frontend/src/views/bar.js';

test('a bar is empty at its least and full at its most, and no longer than that', () => {
  for (const bar of [PART_OF_1, logarithmicBar(0, 100), logarithmicBar(1, 100)]) {
    assert.deepEqual([bar.part(bar.least), bar.part(bar.most)], [0, 1]);
    assert.deepEqual([bar.part(bar.least - 5), bar.part(bar.most + 5), bar.part(NaN)], [0, 1, 0]);
    assert.deepEqual([-0.5, 0, 1, 1.5].map(bar.value), [bar.least, bar.least, bar.most, bar.most]);
    assert.match(bar.words, new RegExp(`${bar.least} … ${bar.most}`));
  }
});

test('a number that is dragged to has few digits, and its bar ends there', () => {
  assert.equal(PART_OF_1.value(1 / 3), 0.33);
  const bar = logarithmicBar(0, 100);
  assert.equal(bar.value(0.5), 9.05);
  for (let part = 0; part <= 1; part += 0.01) {
    assert.ok(Math.abs(bar.part(bar.value(part)) - part) < 0.005);
    assert.ok(String(bar.value(part)).length <= 7);
  }
});

test('small numbers and large ones can both be told apart', () => {
  const bar = logarithmicBar(1, 100);
  assert.ok(bar.part(2) - bar.part(1) > 0.1);
  assert.ok(bar.part(100) - bar.part(50) > 0.1);
});
