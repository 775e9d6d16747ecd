import { execFileSync } from 'node:child_process';
import type { SentPacket } from '../../../rsvp/engine/packet.js';
import { fromHex } from '../../../rsvp/wire/index.js';
import { RawTransport } from '../../../rsvp/io/raw.js';

/** A packet that somebody means ill with. */
export interface Shot {
  readonly source?: string;
  readonly destination: string;
  readonly ttl: number;
  readonly hex: string;
  readonly times?: number;
}

/** `node attacker.js DEVICE` sends what is read from stdin, a JSON list of shots, and ends. */
const [device = ''] = process.argv.slice(2);
const [link] = JSON.parse(
  execFileSync('ip', ['-json', 'link', 'show', 'dev', device], { encoding: 'utf8' }),
) as [{ ifindex: number }];
let text = '';
for await (const chunk of process.stdin.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
const transport = new RawTransport({ intercepts: false });
transport.start({ packets: () => undefined, trouble: () => undefined });
for (const { source, destination, ttl, hex, times = 1 } of JSON.parse(text) as Shot[]) {
  const packet: SentPacket = {
    interface: link.ifindex,
    ...(source === undefined ? {} : { source }),
    destination,
    ttl,
    routerAlert: false,
    octets: fromHex(hex) ?? new Uint8Array(),
  };
  for (let left = times; left > 0; left -= 256) {
    transport.send(Array.from({ length: Math.min(left, 256) }, () => packet));
    // In turns, so that our own queue is not what is too short.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
await transport.close();
