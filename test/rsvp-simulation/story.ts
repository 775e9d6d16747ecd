import type { SentPacket } from '../../rsvp/engine/index.js';
import { partsOf } from '../../rsvp/exchange/frame.js';
import { MESSAGE_TYPES, RSVP } from '../../rsvp/wire/index.js';
import type { Scheduler } from '../simulation/scheduler.js';
import type { History } from './history.js';
import type { Port } from './topology.js';

/** What happened, for whoever has to find out why it went wrong. */
export class Story {
  readonly lines: string[] = [];

  constructor(readonly scheduler: Scheduler) {}

  line(text: string): void {
    this.lines.push(`${(this.scheduler.now / 1000).toFixed(3).padStart(8)} ${text}`);
  }

  readonly events = (who: string, text: string): void => this.line(`  ${who}: ${text}`);

  readonly packets = (from: Port, { destination, octets }: SentPacket, fate: string): void => {
    this.line(`  ${from.site.name} -${from.index}-> ${summary(octets)} for ${destination}, ${fate}`);
  };

  opening({ topology, sessions, lifetime, kind, refusals, stations }: History): void {
    this.line(
      `${kind} links${refusals === undefined ? '' : ', policy refuses some'}; lifetime ${lifetime / 1000} s`,
    );
    for (const { name, ports, delay } of topology.links) {
      const all = ports.map(({ site, index, addresses, cost, reservable, link }) => {
        const { refreshReduction, integrity } = stations.get(site)?.setup.exchange[index - 1] ?? {};
        const signed = integrity === undefined ? '' : ', signed';
        return `${site.name} by ${index} (${addresses.join(' ')}, cost ${cost.toFixed(1)}, ${reservable} octets/s, ${refreshReduction ?? ''}${signed}${link.isUp ? '' : ', down'})`;
      });
      this.line(`${name}, ${delay} ms: ${all.join('; ')}`);
    }
    for (const { text, style, service, senders, receivers } of sessions)
      this.line(
        `${text}: ${style} ${service}; may send: ${senders.map(({ site, port }) => `${site.name}:${port}`).join(' ')}; may receive: ${receivers.map(({ name }) => name).join(' ')}`,
      );
  }
}

function summary(octets: Uint8Array): string {
  const message = RSVP.decode(octets, []);
  const type = MESSAGE_TYPES[message.msgType] ?? `message type ${message.msgType}`;
  if (message.msgType === 12) {
    const parts = partsOf(octets);
    return Array.isArray(parts) ? `Bundle of ${parts.map(summary).join(' and ')}` : 'broken Bundle';
  }
  const ids = message.objects.flatMap((object) => {
    const { classNum } = object;
    if (classNum === 23)
      return [`#${(object as unknown as { messageIdentifier: number }).messageIdentifier}`];
    return classNum === 24 || classNum === 25
      ? [JSON.stringify(RSVP.toJson({ ...message, objects: [object] }).objects)]
      : [];
  });
  return [type, ...ids].join(' ');
}
