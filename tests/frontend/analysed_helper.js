// The streams that Python analysed for the page, with what it found in them.

import {readFileSync} from 'node:fs';

import {framesOf, readTrace} from '../../frontend/src/wire.js';
import {inChunks} from './wire_helper.js';

export const analysed = JSON.parse(readFileSync(new URL('analysed_by_python.json', import.meta.url), 'utf8'));

/** The trace of one of the streams. */
export async function traceOf(wanted) {
  const {stream} = analysed.find(({name}) => name === wanted);
  const {data} = await readTrace(framesOf(inChunks(new Uint8Array(Buffer.from(stream, 'base64')))), () => {});
  return data;
}
