import { fileURLToPath } from 'node:url';
import type { SentPacket } from '../../engine/packet.js';
import { toHex } from '../../wire/index.js';
import type { HexPacket, Order } from './driver.js';
import type { Namespace } from './namespace.js';
import { Talker } from './talker.js';

const DRIVER = fileURLToPath(new URL('driver.js', import.meta.url));

/** A transport in a process of its own, in a namespace. */
export class Remote extends Talker {
  constructor(namespace: Namespace, under: readonly string[] = []) {
    super(namespace, DRIVER, under);
  }

  static async start(namespace: Namespace, order: Order): Promise<Remote> {
    const remote = new Remote(namespace);
    remote.order(order);
    await remote.next('started');
    return remote;
  }

  order(order: Order): void {
    this.write(JSON.stringify(order));
  }

  send(packets: readonly SentPacket[], times = 1): void {
    const hex = packets.map((packet): HexPacket => ({ ...packet, octets: toHex(packet.octets) }));
    this.order({ do: 'send', packets: hex, times });
  }

  /** The transport is closed, and the process ends by itself; its exit code. */
  async close(): Promise<number | null> {
    this.order({ do: 'close' });
    return this.end();
  }
}
