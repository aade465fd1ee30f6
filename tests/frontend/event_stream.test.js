import assert from 'node:assert/strict';
import {afterEach, test} from 'node:test';

import {whileSeen} from '../../frontend/src/event_stream.js';

/** A page that may be hidden, and the connections that were opened. */
function page() {
  const opened = [];
  globalThis.document = Object.assign(new EventTarget(), {hidden: false});
  globalThis.EventSource = class extends EventTarget {
    constructor(path) {
      super();
      Object.assign(this, {path, open: true});
      opened.push(this);
    }

    close() {
      this.open = false;
    }
  };
  const show = (visible) => {
    document.hidden = !visible;
    document.dispatchEvent(new Event('visibilitychange'));
  };
  return {opened, show};
}

afterEach(() => {
  delete globalThis.document;
  delete globalThis.EventSource;
});

test('what is told is heard', () => {
  const {opened} = page();
  const heard = [];
  whileSeen('/events', (data) => heard.push(data), new AbortController().signal);
  opened[0].dispatchEvent(Object.assign(new Event('message'), {data: '{"runs":[1]}'}));
  assert.deepEqual([opened[0].path, heard], ['/events', [{runs: [1]}]]);
});

test('a page that nobody sees holds no connection, and has one again when it is seen', () => {
  const {opened, show} = page();
  whileSeen('/events', () => {}, new AbortController().signal);
  show(true);
  show(false);
  assert.deepEqual(opened.map(({open}) => open), [false]);
  show(true);
  assert.deepEqual(opened.map(({open}) => open), [false, true]);
});

test('a page that opens unseen waits, and one that ended does not listen', () => {
  const {opened, show} = page();
  document.hidden = true;
  const end = new AbortController();
  whileSeen('/events', () => {}, end.signal);
  assert.equal(opened.length, 0);
  show(true);
  end.abort();
  show(false);
  show(true);
  assert.deepEqual(opened.map(({open}) => open), [false]);
});
