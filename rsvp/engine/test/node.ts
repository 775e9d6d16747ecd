import type { Engine } from '../engine.js';
import type { EngineEffect } from '../effect.js';
import type { EngineEvent, Upcall } from '../event.js';
import type { Flow } from '../flow.js';
import type { NodeInterface, Route } from '../node.js';
import type { EngineOptions } from '../options.js';
import type { SentPacket } from '../packet.js';
import type { PolicyAnswer, PolicyQuestion } from '../policy.js';
import type { TrafficReservation } from '../traffic.js';
import type { RsvpMessage } from '../../wire/index.js';

import type { Network } from './network.js';

/** What a network of engines is made of. */

/** An octet rate: flowspecs of the RFC's figures are multiples of it. */
export const B = 1000;

/** `n` B of controlled load. */
export function flow(n: number, more: Partial<Flow> = {}): Flow {
  return {
    service: 'controlled-load',
    rate: n * B,
    bucket: n * B,
    peak: n * B,
    minimumPolicedUnit: 64,
    maximumPacketSize: 1500,
    reservedRate: 0,
    slack: 0,
    ...more,
  };
}

export function tspec(n: number) {
  return { rate: n * B, bucket: n * B, peak: n * B, minimumPolicedUnit: 64, maximumPacketSize: 1500 };
}

export interface LinkOptions {
  readonly reservable?: number;
  readonly bandwidth?: number;
  readonly latency?: number;
  readonly mtu?: number;
  readonly delay?: number;
}

export interface Logged {
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly packet: SentPacket;
  readonly message: RsvpMessage;
}

export class Node {
  readonly interfaces: NodeInterface[] = [];
  readonly links: Link[] = [];
  engine: Engine | undefined;
  readonly kernel = new Map<number, TrafficReservation>();
  readonly events: EngineEvent[] = [];
  readonly questions: PolicyQuestion[] = [];
  readonly effects: EngineEffect[] = [];
  /** Answers at once; undefined: the test answers. */
  answer: ((question: PolicyQuestion) => PolicyAnswer | undefined) | undefined;
  /** In place of the shortest path. */
  routes: ((destination: string, source: string | undefined) => Route | undefined) | undefined;

  constructor(
    readonly net: Network,
    readonly name: string,
    readonly options: Partial<EngineOptions> | undefined,
  ) {}

  /** The engine, for whoever knows that there is one. */
  get rsvp(): Engine {
    if (this.engine === undefined) throw new TypeError(`${this.name} has no engine`);
    return this.engine;
  }

  address(other: string, family: 4 | 6 = 4): string {
    const at = this.links.findIndex((link) =>
      link.nodes.some((node) => node.name === other && node !== this),
    );
    return this.interfaces[at]!.addresses[family === 4 ? 0 : 1]!;
  }

  /** Index of the interface towards another node. */
  towards(other: string): number {
    const at = this.links.findIndex((link) =>
      link.nodes.some((node) => node.name === other && node !== this),
    );
    return this.interfaces[at]!.index;
  }

  owns(address: string): boolean {
    return this.interfaces.some((link) => link.addresses.includes(address));
  }

  /** Performs what an engine asks for. */
  do(effects: readonly EngineEffect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      switch (effect.kind) {
        case 'send':
          this.net.send(this, effect.packet);
          break;
        case 'reserve':
          this.kernel.set(effect.reservation.id, effect.reservation);
          break;
        case 'release':
          if (!this.kernel.delete(effect.reservation)) throw new Error('released what was not reserved');
          break;
        case 'event':
          this.events.push(effect.event);
          break;
        case 'ask': {
          const { question } = effect;
          this.questions.push(question);
          const answer = this.answer?.(question);
          if (answer !== undefined)
            this.net.later(0, () => this.do(this.rsvp.decided(this.net.now, question.id, answer)));
          break;
        }
        case 'report':
        case 'forget':
          break;
      }
    }
  }

  upcalls(type?: Upcall['upcall']['type']): readonly Upcall[] {
    const all = this.events.filter((event): event is Upcall => event.kind === 'upcall');
    return type === undefined ? all : all.filter(({ upcall }) => upcall.type === type);
  }

  eventsOf<K extends EngineEvent['kind']>(kind: K): Extract<EngineEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<EngineEvent, { kind: K }> => event.kind === kind);
  }

  /** `eth0: 4000` by the name of the other end: what the kernel has. */
  reserved(other: string): readonly number[] {
    const index = this.towards(other);
    return [...this.kernel.values()].filter((one) => one.interface === index).map((one) => one.rate);
  }
}

export class Link {
  isCut = false;
  /** Drops what it says yes to. */
  loses: ((logged: Logged) => boolean) | undefined;

  constructor(
    readonly nodes: readonly Node[],
    readonly delay: number,
  ) {}
}
