import { WireError } from './error.js';
import type { WireErrorCode } from './error.js';

/**
 * A checked cursor over octets somebody else sent. It never reads past `end`: what is missing is a
 * `WireError` that names the object being read, its rule and the octet. One reader serves a whole
 * message; a container narrows `end` while its contents are read (`within`).
 *
 * The octets are not copied: whoever keeps a decoded value keeps the buffer it came from.
 */
export class Reader {
  readonly view: DataView;
  at: number;
  end: number;
  /** What is being read, for messages; a container sets it. */
  subject: Subject = MESSAGE;
  depth = 0;
  /** Where broken parts are noted while reading goes on; undefined: the first one is thrown. */
  faults: WireError[] | undefined;

  constructor(
    readonly octets: Uint8Array,
    at = 0,
    end = octets.length,
  ) {
    this.view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  /** Moves past `size` octets and returns where they begin. */
  take(size: number, what: string): number {
    const at = this.at;
    if (size > this.end - at) {
      throw this.error('truncated', `${this.end - at} octets left`, `${size} octets of ${what}`);
    }
    this.at = at + size;
    return at;
  }

  u8(what: string): number {
    return this.view.getUint8(this.take(1, what));
  }

  u16(what: string): number {
    return this.view.getUint16(this.take(2, what));
  }

  u32(what: string): number {
    return this.view.getUint32(this.take(4, what));
  }

  bytes(size: number, what: string): Uint8Array {
    const at = this.take(size, what);
    return this.octets.subarray(at, at + size);
  }

  rest(): Uint8Array {
    return this.bytes(this.end - this.at, 'the rest');
  }

  /** Reads a container of `size` octets: inside `read`, `end` is the container's. */
  within<T>(size: number, what: string, read: (reader: this) => T): T {
    const outer = this.end;
    const end = this.take(size, what) + size;
    this.at = end - size;
    this.end = end;
    try {
      return read(this);
    } finally {
      this.at = end;
      this.end = outer;
    }
  }

  error(code: WireErrorCode, problem: string, expected: string, offset = this.at): WireError {
    const { name, rfc } = this.subject;
    return new WireError(code, problem, { offset, object: name, expected, rfc });
  }
}

/** Who is at fault when reading fails: an object with its rule. */
export interface Subject {
  readonly name: string;
  readonly rfc: string;
}

const MESSAGE: Subject = { name: 'message', rfc: 'RFC 2205 3.1' };

/** Octets that small messages share. */
const SLAB = 8192;

/** Octets being written: grows as needed, lengths are patched when what they count is there. */
export class Writer {
  octets: Uint8Array;
  view: DataView;
  at = 0;
  #slab = new Uint8Array(0);
  #used = 0;

  constructor(capacity = 512) {
    this.octets = new Uint8Array(capacity);
    this.view = new DataView(this.octets.buffer);
  }

  /** Room for `size` octets (zeros); returns where they begin. */
  skip(size: number): number {
    if (this.at + size > this.octets.length) this.#grow(this.at + size);
    const at = this.at;
    this.at = at + size;
    return at;
  }

  u8(value: number): void {
    const at = this.skip(1);
    this.view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.skip(2);
    this.view.setUint16(at, value);
  }

  u32(value: number): void {
    const at = this.skip(4);
    this.view.setUint32(at, value);
  }

  bytes(value: Uint8Array): void {
    const at = this.skip(value.length);
    this.octets.set(value, at);
  }

  /** Zeros up to the next multiple of four octets from `start`. */
  pad(start: number): void {
    this.skip((4 - ((this.at - start) & 3)) & 3);
  }

  /** A copy of what was written, the caller's own; the writer can be used again after `reset`. */
  finish(): Uint8Array {
    const { at } = this;
    if (at > SLAB / 4) return this.octets.slice(0, at);
    // A buffer of its own costs V8 more than writing a message: small ones share one, as Node's Buffers do.
    if (this.#used + at > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB);
      this.#used = 0;
    }
    const copy = new Uint8Array(this.#slab.buffer, this.#used, at);
    for (let i = 0; i < at; i++) copy[i] = this.octets[i] as number;
    this.#used += (at + 7) & ~7;
    return copy;
  }

  reset(): this {
    this.octets.fill(0, 0, this.at);
    this.at = 0;
    return this;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.octets.length * 2));
    larger.set(this.octets);
    this.octets = larger;
    this.view = new DataView(larger.buffer);
  }
}

export function toHex(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('hex');
}

/** Octets of a hex string; undefined where it is not one. White space is ignored. */
export function fromHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/\s+/g, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return undefined;
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

const LATIN1 = new TextDecoder('latin1');

/** Text for people out of octets that should be text: what is not printable ASCII is escaped. */
export function printable(octets: Uint8Array): string {
  return LATIN1.decode(octets).replace(
    // eslint-disable-next-line no-control-regex
    /[\x00-\x1f\x7f-\xff\u0100-\uffff\\]/g,
    (c) => (c === '\\' ? '\\\\' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`),
  );
}
