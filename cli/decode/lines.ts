/** Longer than any message: a COPS message of 1 MiB in hex, spaced, or in JSON. */
const LONGEST_LINE = 16 << 20;

/** The lines of a stream, numbered from 1, in bounded memory. Empty lines and those that begin with `#` are passed over. */
export async function* numberedLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly number: number; readonly text: string }> {
  const decoder = new TextDecoder();
  let rest = '';
  let number = 0;
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE)
      throw new RangeError(`line ${number + lines.length + 1} is longer than ${LONGEST_LINE}`);
    for (const line of lines) {
      number += 1;
      if (isContent(line)) yield { number, text: line.trim() };
    }
  }
  const last = rest + decoder.decode();
  if (isContent(last)) yield { number: number + 1, text: last.trim() };
}

function isContent(line: string): boolean {
  return !/^\s*(#|$)/.test(line);
}
