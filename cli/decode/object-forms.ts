import type { RsvpMessage, WireObject } from '../../rsvp/wire/index.js';
import type { Output } from './output.js';

/** Objects that are longer are seldom seen twice, and cost more to keep. */
const LONGEST = 256;
const MOST = 8192;
const HEADER = 8;

/**
 * The text or JSON of the objects of a message. RSVP is soft state: a session's messages say the same again every
 * refresh period, so what an object's octets were written as is kept, in bounded memory.
 */
export class ObjectForms {
  readonly #known = new Map<string, Uint8Array>();

  constructor(
    private readonly form: (object: WireObject) => string,
    private readonly separator: string,
  ) {}

  /** Writes the forms of a message's objects; `payload` is what it was decoded of, without fault. */
  write({ objects }: RsvpMessage, payload: Uint8Array, out: Output): void {
    const octets = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    let at = HEADER;
    for (const object of objects) {
      if (at > HEADER && this.separator !== '') out.text(this.separator);
      const end = at + object.length;
      if (object.length > LONGEST) out.text(this.form(object));
      else out.octets(this.#remembered(object, octets.toString('latin1', at, end)));
      at = end;
    }
  }

  #remembered(object: WireObject, octets: string): Uint8Array {
    const known = this.#known.get(octets);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST) this.#known.clear();
    const form = Buffer.from(this.form(object));
    this.#known.set(octets, form);
    return form;
  }
}
