// The streams that Python recorded for the page, with what Python found in them.

import {readFileSync} from 'node:fs';

import {readTrace} from '../../frontend/src/wire.js';
import {inChunks} from './wire_helper.js';

export const recorded = JSON.parse(readFileSync(new URL('recorded_by_python.json', import.meta.url), 'utf8'));

/** The trace of one recording. */
export async function recording(wanted) {
  const {stream} = recorded.find(({name}) => name === wanted);
  const {data} = await readTrace(inChunks(new Uint8Array(Buffer.from(stream, 'base64'))), () => {});
  return data;
}
