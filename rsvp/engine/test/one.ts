import { Engine } from '../engine.js';
import type { EngineEffect } from '../effect.js';
import type { EngineEvent } from '../event.js';
import { flowspecOf, readFlow, tspecOf } from '../flow.js';
import type { Flow } from '../flow.js';
import { filterObject, hopObject, readSender, sessionObject, templateObject } from '../identity.js';
import type { NodeInterface, Route } from '../node.js';
import type { EngineOptions } from '../options.js';
import type { PolicyAnswer, PolicyQuestion } from '../policy.js';
import { confirmObject } from '../resv-message.js';
import { styleObject } from '../style.js';
import type { StyleName } from '../style.js';
import type { TrafficReservation } from '../traffic.js';
import { find, RSVP, RsvpHopIpv4, RsvpHopIpv6, ScopeIpv4, Style, TimeValues } from '../../wire/index.js';
import type { RsvpInput, RsvpMessage, WireObject } from '../../wire/index.js';
import { B, flow, tspec } from './network.js';

/** One engine with interfaces a, b, c, d (1 to 4), and a test in the place of its neighbours. */

export const INTERFACES = { a: 1, b: 2, c: 3, d: 4 } as const;
export type InterfaceName = keyof typeof INTERFACES;

/** Senders S1, S2, ... of the RFC's figures. */
export const S = ['', '10.1.0.1', '10.2.0.2', '10.2.0.3', '10.1.0.4'] as const;
/** A group, and a receiver. */
export const GROUP = '224.1.1.1';
export const RECEIVER = '10.3.0.9';

export interface Sent {
  readonly interface: number;
  readonly destination: string;
  readonly ttl: number;
  readonly routerAlert: boolean;
  readonly source: string | undefined;
  readonly message: RsvpMessage;
}

export class One {
  now = 0;
  readonly engine: Engine;
  sent: Sent[] = [];
  readonly events: EngineEvent[] = [];
  readonly kernel = new Map<number, TrafficReservation>();
  questions: PolicyQuestion[] = [];
  effects: EngineEffect[] = [];
  routes: (destination: string, source: string | undefined) => Route | undefined;
  interfaces: NodeInterface[];

  constructor(
    options: Partial<EngineOptions> = {},
    readonly destination: string = GROUP,
    link: Partial<NodeInterface> = {},
  ) {
    // The routing of RFC 2205 Figure 4: all that comes in by a or b goes to c and d.
    this.routes = (to) =>
      to === destination ? { outgoing: destination === GROUP ? [3, 4] : [3] } : { outgoing: [3] };
    this.interfaces = Object.entries(INTERFACES).map(([name, index]) => ({
      name,
      index,
      addresses: [`10.${index}.0.254`, `fd00:${index}::fe`],
      mtu: 1500,
      isUp: true,
      reservable: 1e9,
      bandwidth: 125e6,
      ...link,
    }));
    this.engine = new Engine({
      random: () => 0.5,
      routing: { route: (to, source) => this.routes(to, source) },
      interfaces: this.interfaces,
      ...options,
    });
  }

  do(effects: readonly EngineEffect[]): this {
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.kind === 'send') {
        const { packet } = effect;
        // A PathErr gives back what made no sense.
        const whole = RSVP.decode(packet.octets, []);
        for (const message of whole.messages ?? [whole])
          this.sent.push({
            interface: packet.interface,
            destination: packet.destination,
            ttl: packet.ttl,
            routerAlert: packet.routerAlert,
            source: packet.source,
            message,
          });
      } else if (effect.kind === 'event') this.events.push(effect.event);
      else if (effect.kind === 'ask') this.questions.push(effect.question);
      else if (effect.kind === 'reserve') this.kernel.set(effect.reservation.id, effect.reservation);
      else if (effect.kind === 'release') this.kernel.delete(effect.reservation);
    }
    return this;
  }

  /** Octets as a neighbour would send them. */
  arrive(
    via: InterfaceName,
    message: RsvpInput,
    packet: { source?: string; destination?: string; ttl?: number; isUdp?: boolean } = {},
  ): this {
    const index = INTERFACES[via];
    const {
      ttl = 63,
      source = hopOf(message) ?? `10.${index}.0.1`,
      destination = `10.${index}.0.254`,
    } = packet;
    const octets = RSVP.encode({ ttl, ...message });
    const isUdp = packet.isUdp === undefined ? {} : { isUdp: packet.isUdp };
    return this.do(
      this.engine.receive(this.now, { interface: index, source, destination, ttl, octets, ...isUdp }),
    );
  }

  session(flags = 0): WireObject {
    return sessionObject({ destination: this.destination, protocol: 17, port: 5000 }, flags);
  }

  path(via: InterfaceName, sender: string, options: PathOptions = {}): this {
    const hop = options.hop ?? `10.${INTERFACES[via]}.0.1`;
    const message: RsvpInput = {
      msgType: options.isTear === true ? 5 : 1,
      objects: [
        this.session(options.flags),
        hopObject(hop, options.handle ?? 7),
        ...(options.isTear === true
          ? []
          : [TimeValues.make({ refreshPeriod: options.refreshPeriod ?? 30_000 })]),
        ...(options.policy ?? []),
        templateObject(nameOf(sender, options.port ?? 6000)),
        tspecOf(tspec(options.rate ?? 100)),
        ...(options.adspec === undefined ? [] : [options.adspec]),
        ...(options.extra ?? []),
      ],
      ...(options.sendTtl === undefined ? {} : { ttl: options.sendTtl }),
    };
    return this.arrive(via, message, {
      source: sender,
      destination: this.destination,
      ...(options.ttl === undefined ? {} : { ttl: options.ttl }),
    });
  }

  pathTear(via: InterfaceName, sender: string, options: PathOptions = {}): this {
    return this.path(via, sender, { ...options, isTear: true });
  }

  resv(via: InterfaceName, style: StyleName, flows: readonly FlowIn[], options: ResvOptions = {}): this {
    const index = INTERFACES[via];
    const hop = options.hop ?? `10.${index}.0.1`;
    const isTear = options.isTear === true;
    return this.arrive(via, {
      msgType: isTear ? 6 : 2,
      objects: [
        this.session(),
        hopObject(hop, options.handle ?? index),
        ...(isTear ? [] : [TimeValues.make({ refreshPeriod: options.refreshPeriod ?? 30_000 })]),
        ...(options.confirm === undefined ? [] : [confirmObject(options.confirm)]),
        ...(options.scope === undefined ? [] : [ScopeIpv4.make({ srcAddresses: options.scope })]),
        ...(options.policy ?? []),
        ...(options.extra ?? []),
        styleObject(style),
        ...flows.flatMap(([senders, amount]) => [
          ...(isTear ? [] : [flowspecOf(typeof amount === 'number' ? flow(amount) : amount)]),
          ...senders.map((sender) => filterObject(nameOf(sender, options.port ?? 6000))),
        ]),
      ],
    });
  }

  resvTear(
    via: InterfaceName,
    style: StyleName,
    senders: readonly string[],
    options: ResvOptions = {},
  ): this {
    const flows: FlowIn[] = style === 'FF' ? senders.map((sender) => [[sender], 0]) : [[senders, 0]];
    return this.resv(via, style, flows, { ...options, isTear: true });
  }

  /** A ResvErr from a previous hop. */
  resvErr(
    via: InterfaceName,
    style: StyleName,
    [senders, amount]: FlowIn,
    error: { code: number; value: number; flags?: number; scope?: readonly string[]; node?: string },
  ): this {
    const index = INTERFACES[via];
    return this.arrive(via, {
      msgType: 4,
      objects: [
        this.session(),
        hopObject(`10.${index}.0.1`, 7),
        RSVP.objects.fromJson({
          class: 'ERROR_SPEC',
          cType: 1,
          errorNodeAddress: error.node ?? '10.99.0.1',
          flags: error.flags ?? 0,
          errorCode: error.code,
          errorValue: error.value,
        }),
        ...(error.scope === undefined ? [] : [ScopeIpv4.make({ srcAddresses: error.scope })]),
        styleObject(style),
        flowspecOf(typeof amount === 'number' ? flow(amount) : amount),
        ...senders.map((sender) => filterObject(nameOf(sender, 6000))),
      ],
    });
  }

  pass(milliseconds: number): this {
    const end = this.now + milliseconds;
    for (
      let due = this.engine.nextTimeout();
      due !== undefined && due <= end;
      due = this.engine.nextTimeout()
    ) {
      this.now = Math.max(this.now, due);
      this.do(this.engine.handleTimeout(this.now));
    }
    this.now = end;
    return this;
  }

  decide(question: PolicyQuestion, answer: PolicyAnswer): this {
    return this.do(this.engine.decided(this.now, question.id, answer));
  }

  /** What has been sent since it was asked last. */
  take(type?: string): readonly Sent[] {
    const taken = this.sent.filter(({ message }) => type === undefined || message.type === type);
    this.sent = [];
    return taken;
  }

  /** Resvs since last time, as the RFC's figures have them: `a: FF S1{4B}`. */
  resvs(): readonly string[] {
    return this.take('Resv')
      .map((sent) => `${nameOfInterface(sent.interface)}: ${textOf(sent.message)}`)
      .sort();
  }

  /** What traffic control has, as the boxes of the RFC's figures: `c: S1{4B}`. */
  reserved(): readonly string[] {
    return [...this.kernel.values()]
      .map((one) => {
        const senders = one.filters.map((filter) => label(readSender(filter)!.address));
        const whose =
          senders.length === 0 ? '*' : senders.length === 1 ? senders[0]! : `(${senders.sort().join(',')})`;
        return `${nameOfInterface(one.interface)}: ${whose}{${one.rate / B}B}`;
      })
      .sort();
  }

  eventsOf<K extends EngineEvent['kind']>(kind: K): Extract<EngineEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<EngineEvent, { kind: K }> => event.kind === kind);
  }
}

export interface PathOptions {
  hop?: string;
  handle?: number;
  port?: number;
  rate?: number;
  refreshPeriod?: number;
  policy?: readonly WireObject[];
  extra?: readonly WireObject[];
  adspec?: WireObject;
  flags?: number;
  ttl?: number;
  sendTtl?: number;
  isTear?: boolean;
}

export interface ResvOptions {
  hop?: string;
  handle?: number;
  port?: number;
  refreshPeriod?: number;
  policy?: readonly WireObject[];
  extra?: readonly WireObject[];
  scope?: readonly string[];
  confirm?: string;
  isTear?: boolean;
}

export type FlowIn = readonly [senders: readonly string[], amount: number | Flow];

function nameOf(address: string, port: number) {
  return { cType: address.includes(':') ? 2 : 1, address, port };
}

function hopOf(message: RsvpInput): string | undefined {
  const hop = message.objects.find((object) => RsvpHopIpv4.is(object) || RsvpHopIpv6.is(object));
  return (hop as { readonly hopAddress?: string } | undefined)?.hopAddress;
}

export function nameOfInterface(index: number): string {
  return Object.entries(INTERFACES).find(([, number]) => number === index)?.[0] ?? '?';
}

function label(address: string): string {
  const at = (S as readonly string[]).indexOf(address);
  return at > 0 ? `S${at}` : address;
}

/** `SE (S1,S2){3B}`. */
export function textOf(message: RsvpMessage): string {
  const vector = find(message, Style)?.optionVector ?? 0;
  const style = vector === 10 ? 'FF' : vector === 17 ? 'WF' : 'SE';
  const scope = find(message, ScopeIpv4)?.srcAddresses.map(label).sort().join(',');
  const parts: { rate: number; senders: string[] }[] = [];
  for (const object of message.objects) {
    if (object.classNum === 9) {
      const read = readFlow(object);
      parts.push({ rate: typeof read === 'number' ? NaN : read.rate / B, senders: [] });
    } else if (object.classNum === 10) {
      const sender = label(readSender(object)!.address);
      const last = parts.at(-1);
      if (last === undefined) parts.push({ rate: NaN, senders: [sender] });
      else if (style === 'FF' && last.senders.length > 0) parts.push({ rate: last.rate, senders: [sender] });
      else last.senders.push(sender);
    }
  }
  const flows = parts.map(({ rate, senders }) => {
    const whose =
      senders.length === 0 ? '*' : senders.length === 1 ? senders[0]! : `(${senders.sort().join(',')})`;
    return Number.isNaN(rate) ? whose : `${whose}{${rate}B}`;
  });
  return `${style} ${flows.sort().join(', ')}${scope === undefined ? '' : ` [${scope}]`}`;
}
