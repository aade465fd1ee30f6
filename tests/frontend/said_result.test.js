import assert from 'node:assert/strict';
import {test} from 'node:test';

import {waitFor} from '../../frontend/src/shell/said_result.js';

test('a result is said once it rests, and another one of the same request only after a while', () => {
  const request = {};
  const said = {at: 1000, request};
  assert.equal(waitFor({at: -Infinity, request: null}, request, 0), 400);
  assert.equal(waitFor(said, {}, 1100), 400);
  assert.equal(waitFor(said, request, 1100), 4900);
  assert.equal(waitFor(said, request, 5900), 400);
});
