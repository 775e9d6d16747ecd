/**
 * What every command needs of the terminal: data on stdout, talk on stderr, colour only where a
 * person looks (https://no-color.org is honoured), and a quiet end when the reader goes away.
 */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const CODES: Record<Style, readonly [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Does this stream show colour? */
export function hasColour(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
}

/** A painter for one stream: `paint('red', 'refused')` returns the text as it is where there is no colour. */
export function painter(stream: NodeJS.WriteStream): (style: Style, text: string) => string {
  if (!hasColour(stream)) return (_style, text) => text;
  return (style, text) => `\x1b[${CODES[style][0]}m${text}\x1b[${CODES[style][1]}m`;
}

/** One line of data on stdout. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One line of talk on stderr. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * Many lines on stdout: collected into large writes, and waiting where the reader is slow, so that a
 * capture of any size is printed in bounded memory.
 */
export class LineWriter {
  #pending: string[] = [];
  #size = 0;

  constructor(
    private readonly stream: NodeJS.WritableStream = process.stdout,
    private readonly limit = 1 << 16,
  ) {}

  /** Adds a line; the promise, where there is one, must be awaited before the next. */
  line(text: string): Promise<void> | undefined {
    this.#pending.push(text, '\n');
    this.#size += text.length + 1;
    return this.#size >= this.limit ? this.flush() : undefined;
  }

  flush(): Promise<void> | undefined {
    if (this.#size === 0) return undefined;
    const chunk = this.#pending.join('');
    this.#pending = [];
    this.#size = 0;
    if (this.stream.write(chunk)) return undefined;
    return new Promise((resolve) => this.stream.once('drain', resolve));
  }
}

/** Everything on stdin. */
export async function readStdin(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** `bandex decode x.pcap | head` is no error: when the reader of stdout goes, so do we. */
export function endQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}
