import { CaptureDecoder, type CaptureOptions, type Packet } from '../../rsvp/capture/index.js';
import { openCapture } from '../../rsvp/capture/io/open.js';
import { fromHex } from '../../rsvp/wire/index.js';
import { EXIT } from '../exit.js';
import { say } from '../terminal.js';
import type { Filter } from './filter.js';
import { numberedLines } from './lines.js';
import { decodePacket } from './message.js';
import type { Output } from './output.js';
import type { Renderer } from './render.js';

export interface DecodeOptions {
  readonly filter: Filter;
  readonly render: Renderer;
  readonly capture: CaptureOptions;
  /** Stop after so many messages. */
  readonly count: number;
  /** A fault is a failure. */
  readonly strict: boolean;
}

/** Decodes capture files, one after the other; returns the exit code. */
export async function decodeFiles(
  files: readonly string[],
  options: DecodeOptions,
  out: Output,
): Promise<number> {
  const printer = new Printer(options, out);
  let code: number = EXIT.ok;
  for (const file of files) {
    if (files.length > 1) printer.file = file;
    try {
      await decodeFile(file, options.capture, printer);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      say(`bandex: ${file}: ${error.message}`);
      code = EXIT.failure;
    }
  }
  await out.flush();
  if (code !== EXIT.ok) return code;
  return printer.unreadable || (options.strict && printer.faulty) ? EXIT.invalid : EXIT.ok;
}

async function decodeFile(file: string, capture: CaptureOptions, printer: Printer): Promise<void> {
  const decoder = new CaptureDecoder(capture);
  const print = async (packets: readonly Packet[]): Promise<void> => {
    for (const packet of packets) {
      if (packet.frame === 0) {
        printer.unreadable = true;
        say(`bandex: ${file}: ${packet.faults[0]?.message ?? 'not a capture'}`);
      } else {
        const wait = printer.print(packet);
        if (wait !== undefined) await wait;
        if (printer.done) return;
      }
    }
  };
  for await (const chunk of openCapture(file)) {
    await print(decoder.push(chunk));
    if (printer.done) return;
  }
  await print(decoder.end());
}

/** Decodes messages in hex, a line each; returns the exit code: a line that is no message is malformed input. */
export async function decodeHex(
  protocol: 'rsvp' | 'cops',
  input: AsyncIterable<Uint8Array>,
  options: DecodeOptions,
  out: Output,
): Promise<number> {
  const printer = new Printer(options, out);
  for await (const { number, text } of numberedLines(input)) {
    const octets = fromHex(text.replace(/^0x/i, '').replaceAll(':', ''));
    if (octets === undefined) {
      printer.unreadable = true;
      say(`bandex: line ${number}: \`${shortened(text)}\` is not octets in hex`);
      continue;
    }
    const wait = printer.print(hexPacket(protocol, number, octets));
    if (wait !== undefined) await wait;
    if (printer.done) break;
  }
  await out.flush();
  return printer.unreadable || printer.faulty ? EXIT.invalid : EXIT.ok;
}

/** Filters, renders and counts. */
class Printer {
  /** Named in each message where there are several. */
  file: string | undefined;
  unreadable = false;
  faulty = false;
  #left: number;

  constructor(
    private readonly options: DecodeOptions,
    private readonly out: Output,
  ) {
    this.#left = options.count;
  }

  get done(): boolean {
    return this.#left <= 0;
  }

  /** The promise, where there is one, is to be awaited before the next. */
  print(packet: Packet): Promise<void> | undefined {
    const decoded = decodePacket(packet);
    if (decoded.faults.length > 0) this.faulty = true;
    if (!this.options.filter(decoded)) return undefined;
    this.#left -= 1;
    this.options.render(decoded, this.out, this.file);
    return this.out.pause();
  }
}

/** A message without a capture around it; its frame is the line it stands on. */
function hexPacket(kind: 'rsvp' | 'cops', line: number, payload: Uint8Array): Packet {
  return {
    kind,
    frame: line,
    frames: [line],
    time: undefined,
    src: '',
    dst: '',
    srcPort: undefined,
    dstPort: undefined,
    protocol: -1,
    ttl: 0,
    routerAlert: undefined,
    payload,
    faults: [],
  };
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}
