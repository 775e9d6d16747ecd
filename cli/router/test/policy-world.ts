import { fixturePath, readFixture } from '../../../fixtures/index.js';
import { decodeCapture } from '../../../rsvp/capture/index.js';
import type { NodeInterface } from '../../../rsvp/engine/node.js';
import type { PolicyAnswer, PolicyQuestion } from '../../../rsvp/engine/policy.js';
import type { WireObject } from '../../../rsvp/wire/index.js';
import { createLog } from '../../pdp/log.js';
import { parseConfig } from '../../pdp/load.js';
import type { LoadedConfig } from '../../pdp/load.js';
import { PdpService } from '../../pdp/service.js';
import { rsvpMessage } from '../../replay/capture.js';
import { octetsOf, plainObjects } from '../policy/objects.js';

/** The paper's story, as a router asks about it: who asks what, and a policy server that judges it. */

export const STORY_TIME = Date.parse('2007-11-20T20:00:00Z');
export const SILENT = createLog({ level: 'silent', format: 'json' });

/** As the engine has them: payment elements are octets. */
const RESVS = decodeCapture(readFixture('story/story.pcap'))
  .map(rsvpMessage)
  .filter((message) => typeof message !== 'string')
  .filter(({ type }) => type === 'Resv')
  .map(({ objects }) => plainObjects(octetsOf(objects)));

/** Paid with 0.44 where 0.55 are allowed. */
export const PAID = RESVS[0] ?? [];
/** Paid with 0.60 where 0.56 would be too much. */
export const TOO_DEAR = RESVS[1] ?? [];

export const WAN: NodeInterface = {
  name: 'wan0',
  index: 1,
  addresses: ['192.0.2.1', '2001:db8::1'],
  mtu: 1500,
  isUp: true,
  reservable: 1e7,
  bandwidth: 1e7,
};

export const find = (index: number): NodeInterface | undefined => (index === WAN.index ? WAN : undefined);

export function resvQuestion(id: number, objects: readonly WireObject[] = PAID): PolicyQuestion {
  return {
    id,
    message: 'Resv',
    context: { incoming: true, allocation: true, outgoing: true },
    incoming: WAN.index,
    outgoing: WAN.index,
    neighbour: '192.0.2.7',
    objects,
  };
}

const STORY = `
listen: [{ address: 127.0.0.1, port: 0 }]
policy: { files: [policy.kn], appDomain: Band-X, route: keys/route.pub }
links: [{ name: Dublin-NYC, ifIndex: 1 }]
`;

export function storyConfig(): LoadedConfig {
  const config = parseConfig(fixturePath('story/test.yaml'), STORY);
  return { ...config, store: { ...config.store, database: ':memory:' } };
}

/** A policy server on loopback. */
export async function startPdp(port = 0): Promise<{ service: PdpService; port: number }> {
  const config = storyConfig();
  const service = new PdpService(
    { ...config, listen: [{ address: '127.0.0.1', port, tls: false }] },
    { log: SILENT, clock: () => STORY_TIME },
  );
  const [at] = await service.start();
  return { service, port: at?.port ?? 0 };
}

/** Answers that nobody asked for, as they come. */
export class Revisions {
  readonly seen: (readonly [question: number, answer: PolicyAnswer])[] = [];
  readonly #waiting: (() => void)[] = [];

  readonly take = (question: number, answer: PolicyAnswer): void => {
    this.seen.push([question, answer]);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  async next(): Promise<readonly [number, PolicyAnswer]> {
    while (this.seen.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.seen.shift()!;
  }
}
