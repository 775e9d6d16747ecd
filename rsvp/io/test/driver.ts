import { createInterface } from 'node:readline';
import { fromHex, toHex } from '../../wire/index.js';
import type { SentPacket } from '../../engine/packet.js';
import { RawTransport } from '../raw.js';
import { UdpTransport, type UdpTransportOptions } from '../udp.js';
import type { Transport } from '../transport.js';

/**
 * Runs in a network namespace and does what a test tells it, a line of JSON each: `Remote` is the other end. It must end
 * by itself once its transport is closed and its input has ended.
 */

export type Order =
  | { readonly do: 'raw'; readonly intercepts: boolean; readonly receiveBuffer?: number }
  | { readonly do: 'udp'; readonly options: Omit<UdpTransportOptions, 'firstHop'>; readonly via?: Via }
  | { readonly do: 'send'; readonly packets: readonly HexPacket[]; readonly times?: number }
  | { readonly do: 'join'; readonly group: string; readonly interface: number }
  | { readonly do: 'busy'; readonly milliseconds: number }
  | { readonly do: 'ask' }
  | { readonly do: 'unref' }
  | { readonly do: 'close' };

/** The first hop of what does not begin with `local`. */
export interface Via {
  readonly local: string;
  readonly address: string;
  readonly ttl?: number;
}

export type HexPacket = Omit<SentPacket, 'octets'> & { readonly octets: string };

let transport: RawTransport | UdpTransport | undefined;
let silent = false;
let ticks = 0;
let since = 0;
const TICK = 5;

function tell(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function octetsOf(hex: string): Uint8Array {
  const octets = fromHex(hex);
  if (octets === undefined) throw new TypeError('octets: no hex digits');
  return octets;
}

function start(made: RawTransport | UdpTransport): void {
  const receiver: Parameters<Transport['start']>[0] = {
    packets(packets) {
      if (silent) return;
      for (const packet of packets) tell({ is: 'packet', ...packet, octets: toHex(packet.octets) });
    },
    trouble: (trouble) => tell({ is: 'trouble', ...trouble }),
  };
  made.start(receiver);
  transport = made;
  tell({ is: 'started' });
}

async function obey(order: Order): Promise<void> {
  switch (order.do) {
    case 'raw':
      start(new RawTransport(order));
      return;
    case 'udp':
      start(
        new UdpTransport({
          ...order.options,
          firstHop: ({ destination }) =>
            destination.startsWith(order.via?.local ?? '') ? undefined : order.via,
        }),
      );
      return;
    case 'send': {
      const packets = order.packets.map((packet) => ({ ...packet, octets: octetsOf(packet.octets) }));
      for (let i = 0; i < (order.times ?? 1); i++) transport?.send(packets);
      return;
    }
    case 'join':
      if (transport instanceof RawTransport) transport.join(order.group, order.interface);
      tell({ is: 'joined' });
      return;
    case 'busy': {
      // Nobody reads meanwhile; then a timer's ticks show whether it gets its turn.
      silent = true;
      const end = performance.now() + order.milliseconds;
      while (performance.now() < end);
      since = performance.now();
      setInterval(() => ticks++, TICK).unref();
      tell({ is: 'watching' });
      return;
    }
    case 'ask':
      tell({ is: 'statistics', ...transport?.statistics, ticks, milliseconds: performance.now() - since });
      return;
    case 'unref':
      if (transport instanceof RawTransport) transport.unref();
      tell({ is: 'unreferenced' });
      return;
    case 'close':
      await transport?.close();
      tell({ is: 'closed', ...transport?.statistics });
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const order = JSON.parse(line) as Order;
  obey(order).catch((error: unknown) => tell({ is: 'error', message: String(error) }));
  if (order.do === 'close' || order.do === 'unref') {
    lines.close();
    process.stdin.destroy();
  }
});
