import assert from 'node:assert/strict';
import {test} from 'node:test';

import {whyEager} from '../../frontend/src/shell/core_note.js';

test('what the compiled core computed needs no reason', () => {
  assert.equal(whyEager({core: 'compiled', dtype: 'float32'}), null);
});

test('what PyTorch computed has one, and a header that names no core is of PyTorch', () => {
  assert.match(whyEager({core: 'eager', dtype: 'float32'}), /numba is missing/);
  assert.match(whyEager({dtype: 'float32'}), /numba is missing/);
  assert.match(whyEager({core: 'eager', dtype: 'float64'}), /its numbers are float64/);
});
