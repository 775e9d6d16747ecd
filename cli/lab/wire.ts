import type { Topology, TopologyLink } from './topology.js';
import type { Namespace } from './namespace.js';
import { CliError } from '../exit.js';

/**
 * Links. Between the two nodes of a link lies a namespace of the lab, the wire: what comes in from one goes out to the other, by
 * tc's `mirred`. Rate, delay and loss are there, and captures are taken there, so that the interfaces of nodes are
 * untouched and theirs to control.
 */
export async function connect(
  { links }: Topology,
  wire: Namespace,
  nodes: ReadonlyMap<string, Namespace>,
): Promise<void> {
  // Nothing of its own is to be seen on a wire.
  await wire.shell('echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6');
  await wire.batch(
    'ip',
    links.flatMap((link, i) =>
      link.ends.flatMap(({ node, interface: name }, end) => {
        const device = wireDevice(i, end);
        const pid = nodes.get(node)?.pid ?? 0;
        const mtu = link.mtu === undefined ? '' : ` mtu ${link.mtu}`;
        return [
          `link add ${device}${mtu} type veth peer name ${name}${mtu} netns ${pid}`,
          `link set ${device} up`,
        ];
      }),
    ),
  );
  await wire.batch('tc', links.flatMap(crossing));
  for (const [i, link] of links.entries()) {
    try {
      await wire.batch(
        'tc',
        [0, 1].flatMap((end) => shaping(wireDevice(i, end), link)),
      );
    } catch (error) {
      const needs = link.delay === undefined && link.loss === undefined ? 'tbf' : 'netem';
      throw new CliError(`link ${link.name}: ${(error as Error).message} (has the kernel sch_${needs}?)`);
    }
  }
}

/** What is on the wire for an end of a link. */
export function wireDevice(link: number, end: number): string {
  return `w${link}${end === 0 ? 'a' : 'b'}`;
}

function crossing(_link: TopologyLink, i: number): string[] {
  return [0, 1].flatMap((end) => [
    `qdisc add dev ${wireDevice(i, end)} ingress`,
    `filter add dev ${wireDevice(i, end)} parent ffff: protocol all prio 1 u32 match u32 0 0 ` +
      `action mirred egress redirect dev ${wireDevice(i, 1 - end)}`,
  ]);
}

function shaping(device: string, { rate, delay, loss, queue, mtu = 1500 }: TopologyLink): string[] {
  const commands: string[] = [];
  let parent = 'root handle 1:';
  if (delay !== undefined || loss !== undefined) {
    const words = [
      ...(delay === undefined ? [] : [`delay ${delay}ms`]),
      ...(loss === undefined ? [] : [`loss ${loss}%`]),
    ];
    commands.push(`qdisc add dev ${device} ${parent} netem ${words.join(' ')} limit 10000`);
    parent = 'parent 1:1 handle 2:';
  }
  if (rate !== undefined) {
    const packets = 10 * (mtu + 14);
    const limit = queue ?? Math.max(Math.ceil((rate / 8) * 0.05), packets);
    const burst = Math.max(2 * (mtu + 14), Math.ceil(rate / 8 / 250));
    commands.push(
      `qdisc add dev ${device} ${parent} tbf rate ${rate}bit burst ${burst} limit ${limit + burst}`,
    );
  }
  return commands;
}
