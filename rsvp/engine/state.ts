import type { Advert, Refreshed } from '../exchange/advert.js';
import type { Timed } from '../exchange/heap.js';
import type { Neighbour } from '../exchange/neighbour.js';
import type { Told } from '../exchange/told.js';
import type { RsvpInput } from '../wire/index.js';
import type { Core } from './core.js';
import type { Flow, TokenBucket } from './flow.js';
import { NONE } from './frozen.js';
import type { Frozen } from './frozen.js';
import { LOCAL } from './identity.js';
import type { SenderName, SessionName } from './identity.js';
import { pathMessage } from './path-message.js';
import { resvMessage } from './resv-message.js';
import type { StyleName } from './style.js';

/**
 * What a node remembers (RFC 2209 1): there may be a hundred thousand of each. Texts and numbers, kept once; objects of the
 * wire are made when they are needed.
 */

/** State with a deadline; `core.timers` has it. */
export interface Mortal extends Timed {
  /** Milliseconds; the heap may hold an earlier time. */
  expiresAt: number;
  expire(core: Core, now: number): void;
}

export class Session implements SessionName {
  paths: readonly Path[] = NONE;
  reservations: readonly Reservation[] = NONE;
  traffics: readonly Traffic[] = NONE;
  upstreams: readonly Upstream[] = NONE;
  blockades: readonly Blockade[] = NONE;
  /** Number of the application that registered it; 0: none. */
  application = 0;

  constructor(
    readonly text: string,
    readonly destination: string,
    readonly protocol: number,
    readonly port: number,
    readonly isGpi: boolean,
    readonly isMulticast: boolean,
  ) {}

  get isEmpty(): boolean {
    return this.application === 0 && this.paths.length === 0 && this.reservations.length === 0;
  }
}

/** A sender of a session: one object for its path state and whatever reserves for it. */
export class Sender implements SenderName {
  constructor(
    readonly cType: number,
    readonly address: string,
    readonly port: number,
  ) {}
}

/** What a Path message says. */
export interface PathContents {
  /** Previous hop; empty: an application of this node. */
  readonly hop: string;
  readonly handle: number;
  /** Interface it came in by; `LOCAL` for an application. */
  readonly incoming: number;
  /** Of the IP header: what goes on has one less. */
  readonly ttl: number;
  readonly isAfterNonRsvpHop: boolean;
  readonly isEntryPolice: boolean;
  readonly bucket: TokenBucket;
  readonly tspec: Frozen;
  /** Empty: none. */
  readonly adspec: Frozen;
  readonly policy: readonly Frozen[];
  readonly extra: readonly Frozen[];
  /** R that the previous hop refreshes by. */
  readonly refreshPeriod: number;
}

/** Path state (PSB): a sender by an incoming interface. */
export class Path implements Mortal, Refreshed {
  due = 0;
  slot = -1;
  expiresAt = 0;
  /** L; 0: an application keeps it. */
  lifetime = 0;
  /** What is in force; undefined until policy has granted it. */
  contents: PathContents | undefined = undefined;
  /** Interfaces that its Paths leave by; `LOCAL` for receivers on this node. */
  outgoing: readonly number[] = NONE;
  /** By which they left until the route changed, while what was reserved there has not been replaced (RFC 2205 3.6). */
  former: readonly number[] = NONE;
  /** Not of the tree that routing has: it is not forwarded (RFC 2205 3.9). */
  isLocalOnly = false;
  adverts: readonly PathAdvert[] = NONE;
  policy: PolicyState | undefined = undefined;
  boundTo: Neighbour | undefined = undefined;
  boundId = 0;
  boundNext: Refreshed | undefined = undefined;

  constructor(
    readonly core: Core,
    readonly session: Session,
    readonly sender: Sender,
    /** Interface of its Paths: for multicast it tells path state of one sender apart (RFC 2205 3.1.5). */
    public incoming: number,
  ) {}

  refreshed(now: number): void {
    this.expiresAt = now + this.lifetime;
  }

  expire(core: Core, now: number): void {
    core.pathExpired(now, this);
  }
}

/** What policy control has to do with a state. */
export class PolicyState {
  /** What was asked about and has no answer yet. */
  pending: unknown = undefined;
  /** POLICY_DATA to send on instead of what came. */
  replacement: readonly Frozen[] | undefined = undefined;
  preemptionPriority: number | undefined = undefined;
  defendingPriority: number | undefined = undefined;
  isGranted = false;
  /** Did the question stand for the outgoing message as well (RFC 2749 3.6)? */
  isOutgoing = false;

  constructor(
    /** Of its question. */
    readonly id: number,
  ) {}
}

/** What a sender's Paths say by one interface. */
export class PathAdvert implements Advert {
  /** Of an outgoing question of its own. */
  policy: PolicyState | undefined = undefined;
  told: Told | undefined = undefined;

  readonly interface: number;

  constructor(
    readonly path: Path,
    index: number,
  ) {
    this.interface = index;
  }

  get source(): string {
    return this.path.sender.address;
  }
  get destination(): string {
    return this.path.session.destination;
  }
  get routerAlert(): boolean {
    return true;
  }
  /** The next hop, once it has spoken. A group may have others that have not. */
  get neighbour(): string | undefined {
    const { session } = this.path;
    if (session.isMulticast) return undefined;
    return session.reservations.find((one) => one.interface === this.interface && one.hop !== '')?.hop;
  }
  /** RFC 2209: one less than it came with. An application's has what it asked for. */
  get ttl(): number {
    const { incoming, ttl } = this.path.contents as PathContents;
    return incoming === LOCAL ? ttl : ttl - 1;
  }
  get refreshPeriod(): number {
    return this.path.core.refreshPeriod(this.interface);
  }
  message(): RsvpInput {
    return pathMessage(this);
  }
}

/** What a Resv message says in one flow descriptor. */
export interface ResvContents {
  readonly flow: Flow;
  /** None: any (WF). */
  readonly senders: readonly Sender[];
  readonly policy: readonly Frozen[];
  readonly extra: readonly Frozen[];
  /** Addresses of SCOPE; undefined where there is none. */
  readonly scope: readonly string[] | undefined;
  readonly refreshPeriod: number;
  /** Out of PREEMPTION_PRI of the POLICY_DATA (RFC 3181). */
  readonly priority: Priority | undefined;
}

/** RFC 3181 4. */
export interface Priority {
  readonly preemption: number;
  readonly defending: number;
  /** 1 of the highest QoS, 2 the highest, 3 none where the merge is heterogeneous. */
  readonly strategy: number;
}

/** Reservation state (RSB): what a next hop asks for. */
export class Reservation implements Mortal, Refreshed {
  due = 0;
  slot = -1;
  expiresAt = 0;
  lifetime = 0;
  /** What is in force; undefined until policy and admission control have let it in. */
  contents: ResvContents | undefined = undefined;
  /** Of each sender of an SE list: they time out one by one (RFC 2209 2). */
  senderExpiry: number[] | undefined = undefined;
  policy: PolicyState | undefined = undefined;
  boundTo: Neighbour | undefined = undefined;
  boundId = 0;
  boundNext: Refreshed | undefined = undefined;

  /** Interface that the data leaves by: `LOCAL` for an application. */
  readonly interface: number;

  constructor(
    readonly core: Core,
    readonly session: Session,
    /** Next hop; empty: an application of this node. */
    readonly hop: string,
    index: number,
    readonly style: StyleName,
    /** Of FF: which one. */
    readonly sender: Sender | undefined,
  ) {
    this.interface = index;
  }

  /** By number (RFC 2961 5): what the latest message named, no sender that only earlier ones did. */
  refreshed(now: number): void {
    const until = now + this.lifetime;
    const { senderExpiry } = this;
    if (senderExpiry === undefined) this.expiresAt = until;
    else {
      const latest = Math.max(...senderExpiry);
      this.senderExpiry = senderExpiry.map((expiry) => (expiry === latest ? until : expiry));
      this.expiresAt = Math.min(...this.senderExpiry);
    }
  }

  expire(core: Core, now: number): void {
    core.reservationExpired(now, this);
  }
}

/** Traffic control state (TCSB): what is in force on an interface. */
export class Traffic {
  readonly interface: number;

  constructor(
    readonly id: number,
    readonly session: Session,
    index: number,
    readonly style: StyleName,
    /** Of FF: whose. */
    readonly sender: Sender | undefined,
    /** What was asked for, merged. */
    public flow: Flow,
    /** The same, no more than the senders send. */
    public inForce: Flow,
    public senders: readonly Sender[],
    /** 1 entry, 2 branch, 4 merge (RFC 2205 3.8). */
    public police: number,
    public preemptionPriority: number,
    public defendingPriority: number,
  ) {
    this.interface = index;
  }
}

/** A flow descriptor of what goes to a previous hop. */
export interface Descriptor {
  readonly flow: Flow;
  readonly senders: readonly Sender[];
}

export interface UpstreamContents {
  readonly style: StyleName;
  readonly descriptors: readonly Descriptor[];
  readonly scope: readonly string[] | undefined;
  readonly policy: readonly Frozen[];
  readonly extra: readonly Frozen[];
}

/** What a previous hop of a session is told: the merge of all that is reserved for its senders. */
export class Upstream implements Advert {
  contents: UpstreamContents | undefined = undefined;
  /** Receiver to be confirmed, for the next telling only (RFC 2205 2.6). */
  confirm = '';
  policy: PolicyState | undefined = undefined;
  told: Told | undefined = undefined;

  readonly interface: number;

  constructor(
    readonly core: Core,
    readonly session: Session,
    readonly hop: string,
    /** Its LIH. */
    readonly handle: number,
    index: number,
  ) {
    this.interface = index;
  }

  get destination(): string {
    return this.hop;
  }
  get neighbour(): string {
    return this.hop;
  }
  get routerAlert(): boolean {
    return false;
  }
  get ttl(): number {
    return this.core.options.ttl;
  }
  get refreshPeriod(): number {
    return this.core.refreshPeriod(this.interface);
  }
  message(): RsvpInput {
    return resvMessage(this, this.contents as UpstreamContents, this.confirm);
  }
}

/** Blockade state (BSB, RFC 2205 3.5): for a sender, or (WF) for a previous hop. */
export class Blockade implements Mortal {
  due = 0;
  slot = -1;
  expiresAt = 0;

  constructor(
    readonly session: Session,
    readonly hop: string,
    readonly sender: Sender | undefined,
    /** Qb */
    public flow: Flow,
  ) {}

  expire(core: Core, now: number): void {
    core.blockadeExpired(now, this);
  }
}

/** Path local repair that waits for routing to settle (RFC 2205 3.6). */
export class Repair implements Mortal {
  due = 0;
  slot = -1;
  expiresAt = 0;

  constructor(readonly path: Path) {}

  expire(core: Core, now: number): void {
    core.repairDue(now, this.path);
  }
}
