import { z } from 'zod';
import { count, duration, file, interval, list, prefix, text, yesOrNo } from '../config/fields.js';
import { bandwidth } from '../quantities.js';

/** A topology file: nodes, links between them, and what is to happen. */

const NAME = 'expected a name of letters, digits and `-`, 15 at most';

const name = (description: string) =>
  z
    .string(NAME)
    .regex(/^[a-zA-Z][a-zA-Z0-9-]{0,14}$/, NAME)
    .meta({ description });

const RATE = 'expected a rate as `10Mbit/s`';
const rate = (description: string) =>
  z
    .string(RATE)
    .transform((value, context) => {
      try {
        return bandwidth(value);
      } catch {
        context.addIssue({ code: 'custom', message: RATE });
        return z.NEVER;
      }
    })
    .meta({ description, format: 'bandwidth' });

const percent = (description: string) =>
  z
    .number('expected a number of percent')
    .min(0, 'expected 0 to 100 percent')
    .max(100, 'expected 0 to 100 percent')
    .meta({ description });

const command = (description: string) =>
  z
    .union(
      [z.string().min(1), z.array(z.string()).min(1)],
      'expected a command: text for a shell, or a list of words',
    )
    .meta({ description });

const regularExpression = (description: string) =>
  z
    .string('expected a regular expression')
    .transform((source, context) => {
      try {
        return new RegExp(source, 'm');
      } catch (error) {
        context.addIssue({
          code: 'custom',
          message: `expected a regular expression: ${(error as Error).message}`,
        });
        return z.NEVER;
      }
    })
    .meta({ description });

const node = z.strictObject({
  name: name('Commands, links and steps call it so; so does `/etc/hosts` of all nodes.'),
  role: z
    .enum(['host', 'router', 'plain'], 'expected `host`, `router` or `plain`')
    .default('host')
    .meta({ description: 'A `router` forwards packets; the graph draws it as one. `plain` is neither.' }),
  forwarding: yesOrNo('Forwards packets. Left out: a router does, others do not.').optional(),
  addresses: list(
    prefix('Address of its loopback interface.'),
    'addresses',
    'Addresses of the node itself, on `lo`, that all others have routes to.',
  ),
  run: list(
    command('A command that runs as long as the lab.'),
    'commands',
    'Started, in this order, when all links are up; ended with the lab. `bandex` is this very program.',
  ),
});

const link = z.strictObject({
  between: z
    .array(name('A node.'), 'expected two nodes')
    .length(2, 'expected two nodes')
    .meta({ description: 'The two nodes. Each has the link as its next interface: `eth0`, `eth1`, ...' }),
  prefixes: list(
    prefix('An IPv4 or IPv6 prefix.'),
    'prefixes',
    'The first node has the first address in each, the second the second. Left out: `10.1.N.0/24` and `fd00:0:0:N::/64`.',
  ),
  rate: rate('Both ways. Left out: what the kernel can do.').optional(),
  delay: interval('One way, as `5ms`.').optional(),
  loss: percent('Packets that are lost, at random, each way.').optional(),
  queue: count('Octets that wait where there is a rate; left out: 50 ms of it, 15,140 at least.').optional(),
  mtu: count('Octets of an IP packet.', 1280, 65_535).optional(),
  capture: file('Everything on it is written to this file (pcap), relative to the topology file.').optional(),
});

const flow = z.strictObject({
  from: name('The node that sends.'),
  to: name('The node that receives.'),
  rate: rate('Of IP packets.'),
  octets: count('Of an IP packet.', 60, 65_000).default(1000),
  duration: duration('How long.').default(2000),
  port: count('UDP port of both.', 1, 65_535).default(5004),
  family: z
    .union([z.literal(4), z.literal(6)], 'expected 4 or 6')
    .default(4)
    .meta({ description: 'IPv4 or IPv6.' }),
});

const expect = z.strictObject({
  exit: count('Exit code.', 0, 255).optional(),
  output: regularExpression('Found in what it prints on stdout, `^` and `$` at lines.').optional(),
  error: regularExpression('Found in what it prints on stderr.').optional(),
  lossBelow: percent('Of a flow: fewer packets are lost, or none where it is 0.').optional(),
  lossAbove: percent('Of a flow: more packets are lost.').optional(),
});

const step = z
  .strictObject({
    name: text('Printed instead of the command.').optional(),
    on: name('The node that the command runs on.').optional(),
    run: command('A command.').optional(),
    flow: flow.optional().meta({ description: 'A flow of UDP packets that is counted at its end.' }),
    wait: duration('Nothing happens for this long.').optional(),
    expect: expect.optional(),
    timeout: interval('The step has failed after this.').default(30_000),
    retry: yesOrNo('Do it again until it is as expected, or until the timeout.').default(false),
    background: yesOrNo(
      'Go on with the next step; what is expected is looked at when all others are done.',
    ).default(false),
  })
  .refine(
    ({ run, flow: packets, wait }) => [run, packets, wait].filter((what) => what !== undefined).length === 1,
    'a step has one of `run`, `flow` and `wait`',
  )
  .refine(({ run, on }) => (run === undefined) === (on === undefined), '`run` and `on` go together');

export const TOPOLOGY = z.strictObject({
  name: name('Of the lab; left out: that of the file.').optional(),
  nodes: z.array(node, 'expected a list of nodes').min(1, 'expected a node at least'),
  links: list(link, 'links', 'Each is a cable between two nodes.'),
  steps: list(step, 'steps', 'What `bandex lab run` does, one after the other.'),
});

export type TopologyInput = z.input<typeof TOPOLOGY>;
export type TopologyConfig = z.output<typeof TOPOLOGY>;
export type NodeConfig = TopologyConfig['nodes'][number];
export type LinkConfig = TopologyConfig['links'][number];
export type StepConfig = TopologyConfig['steps'][number];
export type FlowConfig = NonNullable<StepConfig['flow']>;
