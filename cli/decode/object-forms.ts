import type { RsvpMessage, WireObject } from '../../rsvp/wire/index.js';
import type { Output } from './output.js';

const HEADER = 8;
/** A power of two. */
const SLOTS = 4096;
/** Objects that are longer are seldom seen twice, and cost more to keep. */
const LONGEST = 256;

interface Kept {
  readonly octets: Uint8Array;
  readonly form: Uint8Array;
}

/**
 * The text or JSON of the objects of a message. RSVP is soft state: a session's messages say the same again every
 * refresh period. So what an object was written as is kept once it has been seen twice, in bounded memory; an object
 * that is new each time costs no more than a hash of its octets.
 */
export class ObjectForms {
  readonly #kept: (Kept | undefined)[] = new Array<undefined>(SLOTS).fill(undefined);
  readonly #seen = new Int32Array(SLOTS);

  constructor(
    private readonly form: (object: WireObject) => string,
    private readonly separator: string,
  ) {}

  /** Writes the forms of a message's objects; `payload` is what it was decoded of, without fault. */
  write({ objects }: RsvpMessage, payload: Uint8Array, out: Output): void {
    let at = HEADER;
    let fresh = '';
    for (const object of objects) {
      if (at > HEADER) fresh += this.separator;
      const end = at + object.length;
      const hash = hashOf(payload, at, end);
      const slot = hash & (SLOTS - 1);
      const kept = this.#kept[slot];
      if (kept !== undefined && isAt(kept.octets, payload, at, end)) {
        if (fresh !== '') out.text(fresh);
        fresh = '';
        out.octets(kept.form);
      } else {
        const form = this.form(object);
        fresh += form;
        if (this.#seen[slot] === hash && object.length <= LONGEST) {
          this.#kept[slot] = { octets: new Uint8Array(payload.subarray(at, end)), form: Buffer.from(form) };
        }
        this.#seen[slot] = hash;
      }
      at = end;
    }
    if (fresh !== '') out.text(fresh);
  }
}

/** FNV-1a, with its high bits folded into the low ones. */
function hashOf(octets: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (octets[at] ?? 0), 0x01000193);
  return hash ^ (hash >>> 15);
}

function isAt(kept: Uint8Array, octets: Uint8Array, start: number, end: number): boolean {
  if (kept.length !== end - start) return false;
  for (let i = 0; i < kept.length; i++) if (kept[i] !== octets[start + i]) return false;
  return true;
}
