// An answer of one JSON object a line, read as it arrives.

/**
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<Record<string, any>>} Reading stops when nobody asks for more.
 */
export async function* jsonLines(body) {
  const source = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (let {done, value} = await source.read(); !done; {done, value} = await source.read()) {
      const lines = (rest + decoder.decode(value, {stream: true})).split('\n');
      rest = /** @type {string} */ (lines.pop());
      for (const line of lines) if (line.trim()) yield JSON.parse(line);
    }
    if (rest.trim()) yield JSON.parse(rest);
  } finally {
    source.cancel().catch(() => {});
  }
}
