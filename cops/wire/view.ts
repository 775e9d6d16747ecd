import { ERROR } from './codes.js';
import { fault } from './fault.js';
import type { Fault } from './fault.js';
import { LENGTHS } from './objects.js';

const HEADER = 8;
/** More objects than anybody needs; a bound on what one message can make us do. */
const MAX_OBJECTS = 1024;

/**
 * A message as its octets, with its objects found: the way the state machines read, because a PDP answers hundreds of
 * thousands of messages a second and looks at few of their fields. `scan` succeeds only if each object is known, whole
 * and of a right size; after that the accessors cannot fail. One view serves message after message.
 */
export class MessageView {
  octets: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  flags = 0;
  opCode = 0;
  clientType = 0;
  /** Number of objects found. */
  count = 0;
  /** Where each object begins. */
  readonly at: number[] = [];
  /** C-Num << 8 | C-Type of each. */
  readonly keys: number[] = [];

  /** Finds the objects. On a fault those before it are there. */
  scan(octets: Uint8Array, start: number, end: number): Fault | undefined {
    this.octets = octets;
    this.start = start;
    this.end = end;
    this.flags = (octets[start] as number) & 0x0f;
    this.opCode = octets[start + 1] as number;
    this.clientType = ((octets[start + 2] as number) << 8) | (octets[start + 3] as number);
    this.count = 0;
    let at = start + HEADER;
    while (at < end) {
      const left = end - at;
      const length = left < 4 ? 0 : ((octets[at] as number) << 8) | (octets[at + 1] as number);
      if (length < 4) {
        return malformed(at - start, `an object of ${length} octets with ${left} left, expected at least 4`);
      }
      const padded = (length + 3) & ~3;
      if (padded > left)
        return malformed(at - start, `an object of ${length} octets, expected at most the ${left} left`);
      if (this.count === MAX_OBJECTS) {
        return fault(ERROR.unableToProcess, `more than ${MAX_OBJECTS} objects`);
      }
      const cNum = octets[at + 2] as number;
      const cType = octets[at + 3] as number;
      const wanted = cNum < 17 && cType < 8 ? (WANTED[(cNum << 3) | cType] as number) : 0;
      if (wanted !== length && (wanted >= 0 || length < -wanted)) {
        if (wanted === 0) {
          return fault(
            ERROR.unknownObject,
            `unknown object with C-Num ${cNum} and C-Type ${cType} at octet ${at - start} (RFC 2748 2.2.8)`,
            (cNum << 8) | cType,
          );
        }
        return malformed(
          at - start,
          `C-Num ${cNum} of ${length} octets, expected ${wanted < 0 ? 'at least ' : ''}${Math.abs(wanted)}`,
        );
      }
      this.at[this.count] = at;
      this.keys[this.count++] = (cNum << 8) | cType;
      at += padded;
    }
    return undefined;
  }

  /** Index of the first object of a class from `from` on, or -1. */
  find(cNum: number, from = 0): number {
    for (let i = from; i < this.count; i++) if ((this.keys[i] as number) >> 8 === cNum) return i;
    return -1;
  }

  /** The two 16-bit numbers that the contents of many objects are (Context, Reason, Error, ...). */
  high(index: number): number {
    const at = (this.at[index] as number) + 4;
    return ((this.octets[at] as number) << 8) | (this.octets[at + 1] as number);
  }

  low(index: number): number {
    const at = (this.at[index] as number) + 6;
    return ((this.octets[at] as number) << 8) | (this.octets[at + 1] as number);
  }

  /** Octets of the object, header included, padding excluded. */
  length(index: number): number {
    const at = this.at[index] as number;
    return ((this.octets[at] as number) << 8) | (this.octets[at + 1] as number);
  }

  /** Contents of the object; a view, not a copy. */
  body(index: number): Uint8Array {
    const at = this.at[index] as number;
    return this.octets.subarray(at + 4, at + this.length(index));
  }

  /** The message as a string, an octet a character. */
  text(start = this.start, end = this.end): string {
    const { octets } = this;
    const buffer =
      octets instanceof Buffer ? octets : Buffer.from(octets.buffer, octets.byteOffset, octets.length);
    return buffer.toString('latin1', start, end);
  }
}

/** `LENGTHS` as an array, by C-Num << 3 | C-Type: exactly (positive), at least (negative), unknown (0). */
const WANTED = new Int32Array(17 << 3);
for (const [key, length] of LENGTHS) WANTED[((key >> 8) << 3) | (key & 0xff)] = length;

function malformed(offset: number, problem: string): Fault {
  return fault(ERROR.badMessageFormat, `object at octet ${offset}: ${problem} (RFC 2748 2.2)`);
}
