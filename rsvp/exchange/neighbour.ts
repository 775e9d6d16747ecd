import type { WireObject } from '../wire/index.js';
import type { Refreshed } from './advert.js';
import { IdTable } from './id-table.js';
import type { Timed } from './heap.js';

/** An RSVP node that has spoken to us, by the address of it that its RSVP_HOP objects carry. */
export class Neighbour implements Timed {
  /** When its acknowledgments leave at the latest. */
  due = 0;
  slot = -1;
  /** MESSAGE_ID_ACK and MESSAGE_ID_NACK objects that it has not got yet. */
  owed: WireObject[] = [];
  /** Epoch of the MESSAGE_ID it sent last; undefined before the first. */
  epoch: number | undefined;
  /** What it refreshes by number: its Message_Identifiers, of `epoch`. */
  readonly bound = new IdTable<Refreshed>();
  /** The flag of its latest message (RFC 2961 2); undefined before the first. */
  isCapable: boolean | undefined;
  /** It answered a MESSAGE_ID with "Unknown object class" (RFC 2961 4.8). */
  refusesMessageId = false;
  /** No hop without RSVP lies between, as far as Send_TTL tells (RFC 2205 3.8). */
  isDirect = true;
  /** When it was heard last, and the longest refresh period that it has named. */
  heard = 0;
  period = 0;
  readonly #recent = new Int32Array(RECENT);
  #recentCount = 0;

  constructor(
    readonly key: string,
    readonly address: string,
    /** Index of the interface that it was heard on last. */
    public interfaceIndex: number,
  ) {}

  /** Was a message with this identifier, one that leaves no state behind, here before? It is from now on. */
  hasSeen(id: number): boolean {
    const count = Math.min(this.#recentCount, RECENT);
    for (let i = 0; i < count; i++) if (this.#recent[i] === (id | 0)) return true;
    this.#recent[this.#recentCount++ % RECENT] = id;
    return false;
  }

  /** It numbers its messages anew. */
  restart(epoch: number): void {
    this.epoch = epoch;
    this.#recentCount = 0;
  }

  /** It would have refreshed or been refreshed by now, if it were there: RFC 2205 3.7's lifetime with K = 3. */
  isSilent(now: number, refreshPeriod: number): boolean {
    return now - this.heard > 5.25 * Math.max(refreshPeriod, this.period);
  }
}

const RECENT = 32;
/** How long a neighbour without state is remembered when its place is needed, in milliseconds. */
const IDLE = 60_000;

/** Link-local addresses mean something on one link only. */
export function neighbourKey(address: string, interfaceIndex: number): string {
  return /^fe[89ab]/i.test(address) ? `${address}%${interfaceIndex}` : address;
}

/** Who was heard on an interface, by what they can do. */
export interface Link {
  capable: number;
  other: number;
  /** Those that do not know MESSAGE_ID. */
  refusing: number;
}

/** Everybody who has spoken, up to a limit: past it newcomers take the places of the idle, or are not remembered. */
export class Neighbours {
  readonly #all = new Map<string, Neighbour>();
  readonly #links = new Map<number, Link>();

  constructor(readonly limit: number) {}

  get size(): number {
    return this.#all.size;
  }

  get(address: string, interfaceIndex: number): Neighbour | undefined {
    return this.#all.get(neighbourKey(address, interfaceIndex));
  }

  values(): Iterable<Neighbour> {
    return this.#all.values();
  }

  /** It has spoken; undefined where there is no place for it. */
  heard(now: number, address: string, interfaceIndex: number): Neighbour | undefined {
    const key = neighbourKey(address, interfaceIndex);
    let neighbour = this.#all.get(key);
    if (neighbour === undefined) {
      if (this.#all.size >= this.limit && !this.#makeRoom(now)) return undefined;
      neighbour = new Neighbour(key, address, interfaceIndex);
      this.#all.set(key, neighbour);
    }
    neighbour.heard = now;
    return neighbour;
  }

  /** The flag of its latest message; true where it has changed. */
  setCapable(neighbour: Neighbour, isCapable: boolean, interfaceIndex: number): boolean {
    if (neighbour.isCapable === isCapable && neighbour.interfaceIndex === interfaceIndex) return false;
    const hasChanged = neighbour.isCapable !== isCapable;
    this.#count(neighbour, -1);
    neighbour.isCapable = isCapable;
    // Whoever is capable knows MESSAGE_ID by now (RFC 2961 4.8).
    if (isCapable) neighbour.refusesMessageId = false;
    neighbour.interfaceIndex = interfaceIndex;
    this.#count(neighbour, 1);
    return hasChanged;
  }

  link(interfaceIndex: number): Readonly<Link> {
    return this.#links.get(interfaceIndex) ?? NOBODY;
  }

  /** RFC 2961 4.8. */
  setRefusing(neighbour: Neighbour): void {
    this.#count(neighbour, -1);
    neighbour.isCapable = false;
    neighbour.refusesMessageId = true;
    this.#count(neighbour, 1);
  }

  #count({ isCapable, refusesMessageId, interfaceIndex }: Neighbour, by: number): void {
    if (isCapable === undefined) return;
    let link = this.#links.get(interfaceIndex);
    if (link === undefined) this.#links.set(interfaceIndex, (link = { capable: 0, other: 0, refusing: 0 }));
    if (isCapable) link.capable += by;
    else link.other += by;
    if (refusesMessageId) link.refusing += by;
  }

  #makeRoom(now: number): boolean {
    for (const neighbour of this.#all.values()) {
      if (neighbour.bound.size > 0 || neighbour.slot >= 0 || now - neighbour.heard < IDLE) continue;
      this.#count(neighbour, -1);
      this.#all.delete(neighbour.key);
      return true;
    }
    return false;
  }
}

const NOBODY: Readonly<Link> = { capable: 0, other: 0, refusing: 0 };
