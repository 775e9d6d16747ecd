import type { Command } from './command.js';
import { may, must } from './command.js';
import { TrafficError } from './control.js';
import { Numbers, ROOT, SIGNALLING_CLASS } from './handles.js';
import { firstHashAt, hashKeyOf, selectorOf } from './u32.js';
import type { Key, SecondLevel, Selector } from './u32.js';
import type { Flow } from './flow.js';

/** A filter that is in the kernel, by its handle. */
export interface Placed {
  readonly family: 4 | 6;
  readonly bucket: string;
  readonly node: number;
}

const PROTOCOLS = { 4: 'ip', 6: 'ipv6' } as const;
const PRIORITIES = { 4: 1, 6: 2 } as const;
const FIRST_LEVEL = { 4: 0x1, 6: 0x2 } as const;
/** Identifiers of tables: these plus the bucket of the first level. They have 12 bits; the kernel's own begin at 0x800. */
const SECOND_LEVEL: Record<SecondLevel, Record<4 | 6, number>> = {
  port: { 4: 0x100, 6: 0x200 },
  label: { 4: 0x700, 6: 0x300 },
  ah: { 4: 0x400, 6: 0x500 },
};
/** Nodes of a bucket of the first level that lead to the second. */
const LINK_NODES: Record<SecondLevel, number> = { port: 1, label: 2, ah: 3 };
const FIRST_NODE = 0x10;
const LAST_NODE = 0xfff;

/** The filters of one interface: which hash tables there are, and which numbers are in use in each bucket. */
export class Classifier {
  readonly #tables = new Set<string>();
  readonly #nodes = new Map<string, Numbers>();

  constructor(private readonly device: string) {}

  /** Before there is any reservation: signalling first, then the tables of the first level. */
  install(): Command[] {
    return [
      ...SIGNALLING.map(({ protocol, prio, match }) =>
        must(`${this.#filter(protocol, prio)} u32 ${match} flowid ${SIGNALLING_CLASS}`),
      ),
      ...([4, 6] as const).flatMap((family) => {
        const table = FIRST_LEVEL[family].toString(16);
        // IPv4 without options: version 4, five words.
        const match = family === 4 ? 'match u8 0x45 0xff at 0' : 'match u8 0x60 0xf0 at 0';
        return [
          must(`${this.#add(family)} handle ${table}: u32 divisor 256`),
          must(`${this.#add(family)} u32 ${match} link ${table}: ${hashText(0xff, firstHashAt(family))}`),
        ];
      }),
    ];
  }

  /** `action` is what else is done to the packets: `action police ...`. */
  add(flow: Flow, classid: string, action = ''): { readonly placed: Placed; readonly commands: Command[] } {
    const selector = selectorOf(flow);
    const { family } = selector;
    const commands = this.#tablesFor(selector);
    const bucket = bucketOf(selector);
    const numbers = this.#nodes.get(bucket) ?? new Numbers(FIRST_NODE, LAST_NODE);
    this.#nodes.set(bucket, numbers);
    const node = numbers.take();
    if (node === undefined)
      throw new TrafficError(
        `${LAST_NODE - FIRST_NODE + 1} filters on ${this.device} share the hash bucket ${bucket}`,
      );
    const keys = selector.keys.map(keyText).join(' ');
    const end = `flowid ${classid}${action === '' ? '' : ` ${action}`}`;
    commands.push(
      must(`${this.#add(family)} handle ::${node.toString(16)} u32 ht ${bucket}: ${keys} ${end}`),
    );
    return { placed: { family, bucket, node }, commands };
  }

  remove({ family, bucket, node }: Placed): Command {
    this.#nodes.get(bucket)?.giveBack(node);
    return must(
      `filter del dev ${this.device} parent ${ROOT} protocol ${PROTOCOLS[family]} prio ${PRIORITIES[family]} ` +
        `handle ${bucket}:${node.toString(16)} u32`,
    );
  }

  /** Something failed: no table is taken for granted any more. */
  doubt(): void {
    this.#tables.clear();
  }

  /** Tables stay once they are made: at most 1,538 of 2 KiB. */
  #tablesFor({ family, first, second }: Selector): Command[] {
    if (second === undefined) return [];
    const table = (SECOND_LEVEL[second.kind][family] + first).toString(16);
    if (this.#tables.has(table)) return [];
    this.#tables.add(table);
    const { mask, at } = hashKeyOf(family, second.kind);
    const from = `${FIRST_LEVEL[family].toString(16)}:${first.toString(16)}`;
    const link = LINK_NODES[second.kind].toString(16);
    // If one of the two is there already, the filter that needs them tells whether both are.
    return [
      may(`${this.#add(family)} handle ${table}: u32 divisor 256`),
      may(
        `${this.#add(family)} handle ::${link} u32 ht ${from}: match u32 0x0 0x0 at 0 link ${table}: ${hashText(mask, at)}`,
      ),
    ];
  }

  #add(family: 4 | 6): string {
    return this.#filter(PROTOCOLS[family], PRIORITIES[family]);
  }

  #filter(protocol: string, prio: number): string {
    return `filter add dev ${this.device} parent ${ROOT} protocol ${protocol} prio ${prio}`;
  }
}

/**
 * RFC 2205 2.3: traffic control should grant some bandwidth to RSVP messages. These are protocol 46 with and without the
 * Router Alert option of IPv6, and UDP encapsulation (RFC 2205 Appendix C). Without address resolution nothing is sent at all.
 */
const SIGNALLING = [
  { protocol: 'ip', prio: 1, match: 'match u8 46 0xff at 9' },
  {
    protocol: 'ip',
    prio: 1,
    match: 'match u8 0x45 0xff at 0 match u8 17 0xff at 9 match u16 0x06a2 0xfffe at 22',
  },
  { protocol: 'ipv6', prio: 2, match: 'match u8 46 0xff at 6' },
  { protocol: 'ipv6', prio: 2, match: 'match u8 0 0xff at 6 match u8 46 0xff at 40' },
  { protocol: 'ipv6', prio: 2, match: 'match u8 17 0xff at 6 match u16 0x06a2 0xfffe at 42' },
  // Neighbour Solicitation and Advertisement (RFC 4861 4.3, 4.4).
  { protocol: 'ipv6', prio: 2, match: 'match u8 58 0xff at 6 match u8 135 0xff at 40' },
  { protocol: 'ipv6', prio: 2, match: 'match u8 58 0xff at 6 match u8 136 0xff at 40' },
  { protocol: 'arp', prio: 3, match: 'match u32 0x0 0x0 at 0' },
] as const;

function bucketOf({ family, first, second }: Selector): string {
  if (second === undefined) return `${FIRST_LEVEL[family].toString(16)}:${first.toString(16)}`;
  return `${(SECOND_LEVEL[second.kind][family] + first).toString(16)}:${second.bucket.toString(16)}`;
}

function keyText({ value, mask, at }: Key): string {
  return `match u32 0x${value.toString(16)} 0x${mask.toString(16)} at ${at}`;
}

function hashText(mask: number, at: number): string {
  return `hashkey mask 0x${mask.toString(16).padStart(8, '0')} at ${at}`;
}
