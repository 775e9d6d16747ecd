import { readFileSync } from 'node:fs';
import { R_TYPE } from '../../cops/index.js';
import type { Interface, PepRequest } from '../../cops/index.js';
import { PAYMENT_RSVP } from '../../policy/payment/index.js';
import { decodeCapture } from '../../rsvp/capture/index.js';
import { FormError, fromHex, WireError, Writer } from '../../rsvp/wire/index.js';
import type { RsvpInput, WireObject } from '../../rsvp/wire/index.js';
import { CliError, EXIT } from '../exit.js';
import { isMulticast, senderTexts, sessionText, styleText } from '../flow.js';
import { rsvpMessage } from '../replay/capture.js';
import { unpackFlows } from '../replay/unpack.js';

/** One request to ask, and what it is about. */
export interface Question {
  readonly request: PepRequest;
  readonly message: string;
  readonly session: string;
  readonly flow: string;
}

export interface Interfaces {
  readonly inInterface?: Interface;
  readonly outInterface?: Interface;
  /** R-Type flags; left out, those of RFC 2749 5.1 for the message. */
  readonly rType?: number;
}

const NAMES: Readonly<Record<number, string>> = { 1: 'Path', 2: 'Resv', 3: 'PathErr', 4: 'ResvErr' };

/** The requests for a message: one a flow, none for a message that COPS does not ask about. */
export function questionsOf(
  { msgType, objects }: Pick<RsvpInput, 'msgType' | 'objects'>,
  options: Interfaces,
): Question[] {
  const message = NAMES[msgType];
  if (message === undefined) return [];
  const flows = msgType === 2 ? unpackFlows(objects) : [objects];
  return flows.map((flow) => ({
    message,
    session: sessionText(flow) ?? '',
    flow: [styleText(flow), ...senderTexts(flow)].filter((text) => text !== undefined).join(' '),
    request: {
      rType: options.rType ?? defaultContext(msgType, flow),
      mType: msgType,
      ...(options.inInterface === undefined ? {} : { inInterface: options.inInterface }),
      ...(options.outInterface === undefined ? {} : { outInterface: options.outInterface }),
      clientSi: [{ kind: 'signaled', data: octetsOf(flow) }],
    },
  }));
}

function defaultContext(msgType: number, objects: readonly WireObject[]): number {
  const { incoming, allocation, outgoing } = R_TYPE;
  if (msgType !== 2) return isMulticast(objects) ? incoming : incoming | outgoing;
  const isWhole = styleText(objects) === 'FF' && !isMulticast(objects);
  return incoming | allocation | (isWhole ? outgoing : 0);
}

function octetsOf(objects: readonly WireObject[]): Uint8Array {
  const writer = new Writer();
  PAYMENT_RSVP.objects.writeAll(writer, objects);
  return writer.finish();
}

/** Messages a line: hex, or JSON as `bandex decode --json` prints it. `#` begins a comment. */
export function readMessages(file: string): RsvpInput[] {
  const lines = readFileSync(file === '-' ? 0 : file, 'utf8').split('\n');
  return lines.flatMap((line, i) => {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) return [];
    try {
      return [text.startsWith('{') ? fromJson(text) : fromHexText(text)];
    } catch (error) {
      if (!(error instanceof WireError || error instanceof FormError || error instanceof SyntaxError))
        throw error;
      throw new CliError(`${file}:${i + 1}: ${error.message}`, EXIT.invalid);
    }
  });
}

/** The RSVP messages of a capture that a router would not have dropped. */
export function readCaptureMessages(file: string): RsvpInput[] {
  return decodeCapture(readFileSync(file)).flatMap((packet) => {
    const message = packet.kind === 'rsvp' ? rsvpMessage(packet) : '';
    return typeof message === 'string' ? [] : [message];
  });
}

function fromJson(text: string): RsvpInput {
  const json = JSON.parse(text) as { readonly rsvp?: unknown };
  return PAYMENT_RSVP.fromJson(json.rsvp ?? json);
}

function fromHexText(text: string): RsvpInput {
  const octets = fromHex(text.replace(/\s+/g, ''));
  if (octets === undefined) throw new FormError('', 'expected an RSVP message as hex or JSON');
  return PAYMENT_RSVP.decode(octets, []);
}
