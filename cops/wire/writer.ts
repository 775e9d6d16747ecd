import { ipv4Number, ipv4Text, ipv6Octets, ipv6Text } from '../../rsvp/wire/address.js';
import { Writer } from '../../rsvp/wire/octets.js';
import { C_NUM, COPS_VERSION, ERROR, INTEGRITY_TLS, OP, START_TLS } from './codes.js';
import type { Integrity } from './integrity.js';
import type { MessageView } from './view.js';

/** A PDP's address as PDPRedirAddr and LastPDPAddr carry it. */
export interface PdpAddress {
  /** IPv4 or IPv6, as text. */
  readonly address: string;
  readonly port: number;
}

/**
 * Writes COPS messages, one after the other, into one run of octets. `COPS.encode` says the same from a list of
 * objects; this is the way of the state machines, which make no objects on the way.
 */
export class MessageWriter {
  readonly #writer: Writer;
  #start = 0;

  constructor(capacity = 4096) {
    this.#writer = new Writer(capacity);
  }

  get size(): number {
    return this.#writer.at;
  }

  get capacity(): number {
    return this.#writer.octets.length;
  }

  begin(opCode: number, clientType: number, flags = 0): this {
    const at = (this.#start = this.#writer.skip(8));
    const { octets } = this.#writer;
    octets[at] = (COPS_VERSION << 4) | flags;
    octets[at + 1] = opCode;
    octets[at + 2] = clientType >> 8;
    octets[at + 3] = clientType;
    return this;
  }

  /** An object whose contents are two 16-bit numbers. */
  pair(cNum: number, cType: number, high: number, low: number): this {
    const at = this.#writer.skip(8);
    const { octets } = this.#writer;
    octets[at] = 0;
    octets[at + 1] = 8;
    octets[at + 2] = cNum;
    octets[at + 3] = cType;
    octets[at + 4] = high >> 8;
    octets[at + 5] = high;
    octets[at + 6] = low >> 8;
    octets[at + 7] = low;
    return this;
  }

  /** An object of any contents; padding is added (RFC 2748 2.2). */
  object(cNum: number, cType: number, body: Uint8Array): this {
    const length = 4 + body.length;
    if (length > 0xffff) throw new RangeError(`C-Num ${cNum}: ${length} octets do not fit an object`);
    const at = this.#writer.skip((length + 3) & ~3);
    const { octets } = this.#writer;
    octets[at] = length >> 8;
    octets[at + 1] = length;
    octets[at + 2] = cNum;
    octets[at + 3] = cType;
    octets.set(body, at + 4);
    octets.fill(0, at + length, this.#writer.at);
    return this;
  }

  /** A whole object as it stands in other octets. */
  copy(octets: Uint8Array, start: number, end: number): this {
    const at = this.#writer.skip(end - start);
    const target = this.#writer.octets;
    for (let i = start; i < end; i++) target[at + i - start] = octets[i] as number;
    return this;
  }

  /** The same, from a string with an octet a character. */
  latin1(text: string, start: number, end: number): this {
    const at = this.#writer.skip(end - start);
    const target = this.#writer.octets;
    for (let i = start; i < end; i++) target[at + i - start] = text.charCodeAt(i);
    return this;
  }

  /** An address with 32 bits behind it: an interface index, or zeros and a port. */
  address(cNum: number, address: string, last: number): this {
    const v4 = ipv4Number(address);
    const octets = v4 === undefined ? ipv6Octets(address) : undefined;
    if (v4 === undefined && octets === undefined) throw new RangeError(`\`${address}\` is not an IP address`);
    const body = new Uint8Array((octets?.length ?? 4) + 4);
    const view = new DataView(body.buffer);
    if (octets === undefined) view.setUint32(0, v4 ?? 0);
    else body.set(octets);
    view.setUint32(body.length - 4, last);
    return this.object(cNum, octets === undefined ? 1 : 2, body);
  }

  /** Ends the message; `integrity` signs it (RFC 2748 2.2.16). */
  end(integrity: Integrity | undefined, now: number): void {
    if (integrity === undefined) this.#writer.view.setUint32(this.#start + 4, this.#writer.at - this.#start);
    else this.endWith((octets, start, at) => integrity.sign(octets, start, at, now));
  }

  /** Ends the message with an Integrity object that `sign` fills in at `at`: the first of a direction. */
  endWith(sign: (octets: Uint8Array, start: number, at: number) => void): void {
    const at = this.#writer.skip(24);
    this.#writer.view.setUint32(this.#start + 4, this.#writer.at - this.#start);
    sign(this.#writer.octets, this.#start, at);
  }

  /** Takes back a message that was begun and could not be ended. */
  abandon(): void {
    this.#writer.at = this.#start;
  }

  /** What was written, copied; the writer starts anew. */
  take(): Uint8Array {
    const octets = this.#writer.finish();
    this.#writer.at = 0;
    return octets;
  }
}

/** The messages that hold no more than a few numbers. */
export function writeClose(
  writer: MessageWriter,
  clientType: number,
  error: { readonly errorCode: number; readonly errorSubCode?: number },
  redirect?: PdpAddress,
): void {
  writer.begin(OP.CC, clientType).pair(C_NUM.ERROR, 1, error.errorCode, error.errorSubCode ?? 0);
  if (redirect !== undefined) writer.address(C_NUM.PDP_REDIR_ADDR, redirect.address, redirect.port);
}

export function writeStartTls(writer: MessageWriter): void {
  writer.pair(C_NUM.INTEGRITY, INTEGRITY_TLS, 0, START_TLS);
}

/** "Authentication Required", naming the Integrity object that is asked for (RFC 4261 4.2); 0 for none. */
export function authenticationRequired(cType: number): { errorCode: number; errorSubCode: number } {
  return { errorCode: ERROR.authenticationRequired, errorSubCode: (C_NUM.INTEGRITY << 8) | cType };
}

/** PDPRedirAddr or LastPDPAddr at `index`. */
export function readAddress(view: MessageView, index: number): PdpAddress {
  const body = view.body(index);
  const data = new DataView(body.buffer, body.byteOffset, body.length);
  const address = body.length === 8 ? ipv4Text(data.getUint32(0)) : ipv6Text(body.subarray(0, 16));
  return { address, port: data.getUint16(body.length - 2) };
}
