import { C_NUM } from '../wire/codes.js';
import { readDecisions } from '../wire/decision.js';
import type { ContextDecision, RequestContext } from '../wire/decision.js';
import { COPS } from '../wire/message.js';
import type { CopsMessage } from '../wire/message.js';
import {
  InIntIpv4,
  InIntIpv6,
  NamedClientSi,
  OutIntIpv4,
  OutIntIpv6,
  SignaledClientSi,
} from '../wire/objects.js';
import { MessageView } from '../wire/view.js';
import type { Peer } from './options.js';
import type { PdpSession } from './session.js';

/** An interface of the PEP, and the address a message came from or goes to (RFC 2748 2.2.3, 2.2.4). */
export interface Interface {
  readonly address: string;
  readonly ifindex: number;
}

export interface ClientSi {
  readonly kind: 'signaled' | 'named';
  readonly data: Uint8Array;
}

/** Four octets, the usual size, make a number; all else a Latin-1 string. Both compare octet for octet. */
export type HandleKey = number | string;

/** What the PDP remembers under a handle: the latest request, and what was decided. */
export class RequestState {
  /** The last decision sent; undefined before the first. */
  decisions: readonly ContextDecision[] | undefined;
  /** The synchronization in which the PEP last asked for it. */
  generation: number;
  /** Requests that wait for the decision before theirs: answers keep the order of requests (RFC 2748 3.2). */
  waiting: PdpRequest[] | undefined;
  pending = false;
  /** A decision that waits until no request does: the first one for a request is the answer to it (RFC 2748 3.2). */
  revision: readonly ContextDecision[] | undefined;
  /** Was it changed without being asked since it was last decided? The PEP may not have heard of it. */
  isRevised = false;
  /** Set when it is no longer installed; says what to tell once nothing is pending. */
  ended: (() => void) | undefined;
  request: PdpRequest;
  /** Names it among all states of this PDP, also once it has outlived its connection. */
  readonly serial: number;

  constructor(
    public session: PdpSession,
    readonly key: HandleKey,
    text: string,
    rType: number,
    mType: number,
  ) {
    this.generation = session.generation;
    this.serial = ++session.connection.pdp.stateCount;
    this.request = new PdpRequest(this, text, rType, mType, false);
  }
}

/**
 * A request as `decide` sees it (RFC 2748 3.1). Immutable, but for what it tells about its state.
 *
 * What is remembered for as long as the request is installed is the message as a Latin-1 string, an octet a character:
 * small buffers cost several times their size and pin the larger ones that they are cut from. Octets and objects are
 * made of it when somebody looks, and forgotten when the decision is sent.
 */
export class PdpRequest {
  #octets: Uint8Array | undefined;
  #message: CopsMessage | undefined;

  constructor(
    readonly state: RequestState,
    /** The whole message, an octet a character. */
    readonly text: string,
    /** The context's R-Type flags and M-Type. */
    readonly rType: number,
    readonly mType: number,
    /** Is this a new request for a handle that was installed already? */
    readonly isUpdate: boolean,
  ) {}

  get session(): PdpSession {
    return this.state.session;
  }

  get pepId(): string {
    return this.state.session.pepId;
  }

  get peer(): Peer {
    return this.state.session.peer;
  }

  get clientType(): number {
    return this.state.session.clientType;
  }

  get context(): RequestContext {
    return { rType: this.rType, mType: this.mType };
  }

  /** The whole message. */
  get octets(): Uint8Array {
    return (this.#octets ??= Buffer.from(this.text, 'latin1'));
  }

  /** The client handle in hex. */
  get handle(): string {
    const length = (this.text.charCodeAt(8) << 8) | this.text.charCodeAt(9);
    return Buffer.from(this.text.slice(12, 8 + length), 'latin1').toString('hex');
  }

  /** Names the request state among all there are, for logs and maps. */
  get id(): string {
    return `${this.session.connection.id}/${this.clientType}/${this.handle}`;
  }

  /** What was decided for this handle before; undefined for a new one. */
  get installed(): readonly ContextDecision[] | undefined {
    return this.state.decisions;
  }

  get inInterface(): Interface | undefined {
    return this.message.objects.find((object) => InIntIpv4.is(object) || InIntIpv6.is(object));
  }

  get outInterface(): Interface | undefined {
    return this.message.objects.find((object) => OutIntIpv4.is(object) || OutIntIpv6.is(object));
  }

  get clientSi(): ClientSi[] {
    const all: ClientSi[] = [];
    for (const object of this.message.objects) {
      if (SignaledClientSi.is(object)) all.push({ kind: 'signaled', data: object.data });
      else if (NamedClientSi.is(object)) all.push({ kind: 'named', data: object.data });
    }
    return all;
  }

  /** What the PEP's local PDP decided (RFC 2748 2.2.7). */
  get lpdpDecisions(): ContextDecision[] {
    const view = new MessageView();
    view.scan(this.octets, 0, this.octets.length);
    return readDecisions(view, C_NUM.LPDP_DECISION);
  }

  get message(): CopsMessage {
    return (this.#message ??= COPS.decode(this.octets));
  }

  /** Forgets what can be made again. */
  release(): void {
    this.#octets = this.#message = undefined;
  }
}
