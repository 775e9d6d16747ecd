import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFixture } from '../../../fixtures/index.js';
import { bandex } from '../../test/run.js';
import { dot, mermaid } from '../graph.js';
import { parseTopology, topology } from '../topology.js';

const problem = (source: string): string => {
  try {
    parseTopology('lab.yaml', source);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('a topology', () => {
  const line = parseTopology('line.yaml', readFixture('lab/line.yaml').toString());

  it('gives each link a prefix of both families, its ends the first two addresses', () => {
    assert.deepEqual(line.links[1]?.ends, [
      { node: 'r1', interface: 'eth1', addresses: ['10.1.1.1/24', 'fd00:0:0:1::1/64'] },
      { node: 'r2', interface: 'eth0', addresses: ['10.1.1.2/24', 'fd00:0:0:1::2/64'] },
    ]);
  });

  it('has routers forward, and hosts not', () => {
    assert.deepEqual(
      line.nodes.map(({ name, forwarding }) => [name, forwarding]),
      [
        ['sender', false],
        ['r1', true],
        ['r2', true],
        ['receiver', false],
      ],
    );
  });

  it('has static routes to all networks that a node is not on', () => {
    assert.deepEqual(line.nodes[0]?.routes, [
      { destination: '10.1.1.0/24', via: '10.1.0.2', interface: 'eth0' },
      { destination: 'fd00:0:0:1::/64', via: 'fd00::2', interface: 'eth0' },
      { destination: '10.1.2.0/24', via: '10.1.0.2', interface: 'eth0' },
      { destination: 'fd00:0:0:2::/64', via: 'fd00::2', interface: 'eth0' },
    ]);
  });

  it('routes by the fewest links, never through a host', () => {
    const square = topology({
      nodes: [
        { name: 'a' },
        { name: 'b', forwarding: false },
        { name: 'c', role: 'router' },
        { name: 'd', role: 'router' },
        { name: 'e', addresses: ['192.0.2.5/32'] },
      ],
      links: [
        { between: ['a', 'b'] },
        { between: ['b', 'e'] },
        { between: ['a', 'c'] },
        { between: ['c', 'd'] },
        { between: ['d', 'e'] },
      ],
    });
    const route = square.nodes[0]?.routes.find(({ destination }) => destination === '192.0.2.5/32');
    assert.deepEqual(route, { destination: '192.0.2.5/32', via: '10.1.2.2', interface: 'eth1' });
  });

  it('takes the prefixes that are given', () => {
    const { links } = topology({
      nodes: [{ name: 'a' }, { name: 'b' }],
      links: [{ between: ['a', 'b'], prefixes: ['192.0.2.4/30', '2001:db8:ffff::/48'] }],
    });
    assert.deepEqual(
      links[0]?.ends.map(({ addresses }) => addresses),
      [
        ['192.0.2.5/30', '2001:db8:ffff::1/48'],
        ['192.0.2.6/30', '2001:db8:ffff::2/48'],
      ],
    );
  });

  it('says where it is wrong, and what was expected', () => {
    assert.equal(
      problem('nodes:\n  - name: a b\n'),
      'lab.yaml:2:11: `nodes[0].name`: expected a name of letters, digits and `-`, 15 at most, got `"a b"`',
    );
    assert.match(
      problem('nodes: [{ name: a, roel: host }]'),
      /^lab.yaml:1:20: unknown key `roel` in `nodes\[0\]`; did you mean `role`\?/,
    );
    assert.match(
      problem('nodes: [{ name: a }, { name: a }]'),
      /^lab.yaml:1:30: .*there is a node `a` already/,
    );
    assert.match(
      problem('nodes: [{ name: a }]\nlinks: [{ between: [a, b] }]'),
      /^lab.yaml:2:24: .*there is no node `b`/,
    );
    assert.match(
      problem('nodes: [{ name: a }]\nlinks: [{ between: [a, a] }]'),
      /expected two different nodes/,
    );
    assert.match(
      problem('nodes: [{ name: a }]\nsteps: [{ on: a }]'),
      /a step has one of `run`, `flow` and `wait`/,
    );
    assert.match(problem('nodes: [{ name: a }]\nsteps: [{ run: a }]'), /`run` and `on` go together/);
    assert.match(
      problem('nodes: [{ name: a }, { name: b }]\nlinks: [{ between: [a, b], rate: fast }]'),
      /^lab.yaml:2:34: .*expected a rate as `10Mbit\/s`/,
    );
    assert.match(
      problem('nodes: [{ name: a }, { name: b }]\nlinks: [{ between: [a, b], prefixes: [10.0.0.0/31] }]'),
      /expected a prefix with room for two addresses/,
    );
    assert.match(
      problem('nodes: [{ name: a }]\nsteps: [{ on: a, run: x, expect: { output: "(" } }]'),
      /expected a regular expression/,
    );
  });

  it('is refused with exit code 3 where its file is wrong', () => {
    const directory = mkdtempSync(join(tmpdir(), 'bandex-topology-'));
    const file = join(directory, 'empty.yaml');
    writeFileSync(file, 'nodes: []');
    const { code, err } = bandex(['lab', 'graph', file]);
    rmSync(directory, { recursive: true });
    assert.equal(code, 3);
    assert.match(err, /^bandex: .*empty.yaml:1:8: `nodes`: expected a node at least/);
  });

  it('is drawn for Mermaid and Graphviz', () => {
    assert.deepEqual(mermaid(line), [
      'graph LR',
      '  n_sender["sender"]',
      '  n_r1(("r1"))',
      '  n_r2(("r2"))',
      '  n_receiver["receiver"]',
      '  n_sender --- n_r1',
      '  n_r1 ---|"10 Mbit/s"| n_r2',
      '  n_r2 --- n_receiver',
    ]);
    assert.match(
      dot(line)[7] ?? '',
      /^ {2}"r1" -- "r2" \[label="10 Mbit\/s", taillabel="eth1", headlabel="eth0"\];$/,
    );
  });
});

describe('bandex lab --help', () => {
  it('has examples for each of its commands', () => {
    for (const name of ['up', 'run', 'exec', 'down', 'inspect', 'graph', 'pcap', 'send', 'receive'])
      assert.match(bandex(['lab', name, '--help']).out, /Examples:/, name);
  });
});
