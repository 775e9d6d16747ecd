import { IdTable } from './id-table.js';
import type { Bound } from './bindings.js';

/** An RSVP node that has spoken to us, by the address of it that its RSVP_HOP objects carry. */
export class Neighbour {
  /** Of the MESSAGE_ID it sent last; undefined before the first. */
  epoch: number | undefined;
  /** What it refreshes by number: its Message_Identifiers, of `epoch`. */
  readonly bound = new IdTable<Bound>();

  constructor(
    readonly key: string,
    readonly address: string,
    /** Index of the interface that it was first heard on. */
    readonly interfaceIndex: number,
  ) {}
}

/** Link-local addresses mean something on one link only. */
export function neighbourKey(address: string, interfaceIndex: number): string {
  return /^fe[89ab]/i.test(address) ? `${address}%${interfaceIndex}` : address;
}
