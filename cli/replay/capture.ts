import { createReadStream, statSync } from 'node:fs';
import { readCapture } from '../../rsvp/capture/index.js';
import { gunzipped } from '../../rsvp/capture/io/open.js';
import type { Packet } from '../../rsvp/capture/index.js';
import { checkChecksum, RSVP, WireError } from '../../rsvp/wire/index.js';
import type { RsvpMessage } from '../../rsvp/wire/index.js';
import { isInPolicyData } from '../flow.js';

const CHUNK = 1 << 18;

/** A capture file that is being read: how far, and what comes. */
export class CaptureFile {
  /** Octets; undefined where nobody knows (stdin). */
  readonly size: number | undefined;
  read = 0;

  constructor(readonly path: string) {
    this.size = path === '-' ? undefined : statSync(path).size;
  }

  packets(): AsyncGenerator<Packet[]> {
    return readCapture(gunzipped(this.#octets()));
  }

  async *#octets(): AsyncGenerator<Uint8Array> {
    const source = this.path === '-' ? process.stdin : createReadStream(this.path, { highWaterMark: CHUNK });
    for await (const chunk of source as AsyncIterable<Buffer>) {
      this.read += chunk.length;
      yield chunk;
    }
  }
}

/**
 * The RSVP message of a packet, or why a router would have dropped it. Policy data is not the router's to judge: it is
 * played whatever is in it (RFC 2750 3.1).
 */
export function rsvpMessage(packet: Packet): RsvpMessage | string {
  // Checksums of IP are often filled in behind the point where a host captures; RSVP has one of its own.
  const fault = packet.faults.find(({ code }) => code !== 'checksum');
  if (fault !== undefined) return fault.message;
  if (checkChecksum(packet.payload) === 'wrong') return 'the RSVP checksum is wrong';
  const faults: WireError[] = [];
  try {
    // A view of a chunk that is read over: what is kept must be our own.
    const message = RSVP.decode(packet.payload.slice(), faults);
    return (
      faults.find(({ offset }) => !isInPolicyData(message.objects, offset - COMMON_HEADER))?.message ??
      message
    );
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

const COMMON_HEADER = 8;
