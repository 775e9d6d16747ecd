import { COPS } from '../../cops/wire/message.js';
import { FormError, toHex, Writer } from '../../rsvp/wire/index.js';
import { EXIT } from '../exit.js';
import { say, type LineWriter } from '../terminal.js';
import { RSVP_CODEC } from './codec.js';
import { numberedLines } from './lines.js';

/** JSON lines to hex lines; returns the exit code. A line that can't be encoded is said, and the next is read. */
export async function encodeLines(
  protocol: 'rsvp' | 'cops',
  input: AsyncIterable<Uint8Array>,
  out: LineWriter,
): Promise<number> {
  let code: number = EXIT.ok;
  for await (const { number, text } of numberedLines(input)) {
    let octets: Uint8Array | undefined;
    try {
      octets = encodeLine(protocol, text);
    } catch (error) {
      if (!isInputError(error)) throw error;
      code = EXIT.invalid;
      await out.flush();
      say(`bandex: line ${number}: ${error.message}`);
    }
    if (octets === undefined) continue;
    const wait = out.line(toHex(octets));
    if (wait !== undefined) await wait;
  }
  await out.flush();
  return code;
}

/** Undefined where the line holds no message of the protocol, as those of a capture's faults or of the other one. */
function encodeLine(protocol: 'rsvp' | 'cops', text: string): Uint8Array | undefined {
  const json: unknown = JSON.parse(text);
  const message = bareMessage(protocol, json);
  if (message === undefined) return undefined;
  return protocol === 'rsvp'
    ? RSVP_CODEC.encode(RSVP_CODEC.fromJson(message))
    : COPS.encode(COPS.fromJson(withData(message)));
}

function bareMessage(protocol: 'rsvp' | 'cops', json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (protocol in json) return (json as Readonly<Record<string, unknown>>)[protocol];
  return 'frame' in json ? undefined : json;
}

/** Objects of RSVP inside those of COPS become the data that they are. */
function withData(message: unknown): unknown {
  const objects = isForm(message) ? message['objects'] : undefined;
  if (!isForm(message) || !Array.isArray(objects)) return message;
  return { ...message, objects: objects.map(closed) };
}

function closed(object: unknown, index: number): unknown {
  if (!isForm(object) || object['objects'] === undefined) return object;
  const { objects, ...rest } = object;
  const writer = new Writer();
  try {
    RSVP_CODEC.objects.writeAll(writer, RSVP_CODEC.objects.allFromJson(objects));
  } catch (error) {
    throw error instanceof FormError ? error.within(`objects[${index}].objects`) : error;
  }
  return { ...rest, data: toHex(writer.finish()) };
}

function isForm(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null;
}

function isInputError(error: unknown): error is Error {
  return (
    error instanceof FormError ||
    error instanceof SyntaxError ||
    error instanceof RangeError ||
    error instanceof TypeError
  );
}
