import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  buildIp,
  buildUdp,
  decodeCapture,
  ethernetFrame,
  pcapFile,
  readCapture,
  TcpConversation,
  timestampOfMillis,
} from '../index.js';
import { openCapture } from '../io/open.js';
import { copsMessage, FROM, FROM6, hex, payloads, rsvpV4, unhex } from './packets.js';

/** A Path of RFC 2205 3.1.3, correct in itself: SESSION, RSVP_HOP, TIME_VALUES, SENDER_TEMPLATE, SENDER_TSPEC. */
const PATH = unhex(`
  1001 f3f5 4000 0054
  000c 0101 0a000002 1100 1388
  000c 0301 0a000001 00000000
  0008 0501 00007530
  000c 0b01 0a000001 0000 1770
  0024 0c02 00000007 01000006 7f000005 461c4000 459c4000 461c4000 00000040 000005dc
`);

/** Ours, as Ethernet: fragments in both families, UDP, and a COPS conversation. */
function ourCapture(): Uint8Array {
  const long = Uint8Array.from({ length: 3000 }, (_, i) => (i < 84 ? PATH[i]! : 0));
  const talk = new TcpConversation({ address: FROM.src, port: 4000 }, { address: FROM.dst, port: 3288 });
  const packets = [
    ...buildIp({ ...FROM, protocol: 46, routerAlert: 0, identification: 1 }, long, 1400),
    ...buildIp({ ...FROM6, protocol: 46, routerAlert: 0, identification: 2 }, long, 1400),
    ...buildIp({ ...FROM, protocol: 17 }, buildUdp(FROM, 1698, 1698, PATH)),
    ...buildIp({ ...FROM6, protocol: 17 }, buildUdp(FROM6, 1698, 1698, PATH)),
    ...talk.open(),
    ...talk.send('client', copsMessage(6, 16), 10),
    ...talk.close(),
  ];
  const frames = packets.map((packet, i) => ({
    time: timestampOfMillis(1_000_000 + i),
    octets: ethernetFrame(packet),
  }));
  return pcapFile(frames, { linkType: 1 });
}

const hasTshark = spawnSync('tshark', ['--version']).status === 0;

describe('capture: other tools and files', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'bandex-capture-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('tshark finds every checksum of our packets right and no packet malformed', function () {
    if (!hasTshark) this.skip();
    const file = join(folder, 'ours.pcap');
    writeFileSync(file, ourCapture());
    const checks = ['ip', 'tcp', 'udp'].flatMap((layer) => ['-o', `${layer}.check_checksum:TRUE`]);
    const fields = [
      'ip.checksum.status',
      'udp.checksum.status',
      'tcp.checksum.status',
      '_ws.expert.severity',
      'ip.proto',
      'ipv6.nxt',
    ];
    const { stdout } = spawnSync(
      'tshark',
      ['-r', file, ...checks, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])],
      { encoding: 'utf8' },
    );
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    assert.equal(rows.length, 18);
    for (const [ip, udp, tcp] of rows) {
      // Good is 1.
      for (const status of [ip, udp, tcp]) assert.ok(status === '' || status === '1', `status ${status}`);
    }
    const { stdout: reassembled } = spawnSync(
      'tshark',
      [
        '-r',
        file,
        '-Y',
        'ip.reassembled.length == 3000 || ipv6.reassembled.length == 3000',
        '-T',
        'fields',
        '-e',
        'frame.number',
      ],
      { encoding: 'utf8' },
    );
    assert.deepEqual(reassembled.trim().split('\n'), ['3', '6']);
  });

  it('we read the same file: whole messages at the frames that tshark completes them in', () => {
    const packets = decodeCapture(ourCapture());
    assert.deepEqual(
      packets.map(({ kind, frame }) => [kind, frame]),
      [
        ['rsvp', 3],
        ['rsvp', 6],
        ['rsvp', 7],
        ['rsvp', 8],
        ['cops', 14],
      ],
    );
    assert.deepEqual(
      packets.flatMap(({ faults }) => faults),
      [],
    );
  });

  it('a gzip file is known by its content', async () => {
    const file = join(folder, 'compressed.pcap');
    writeFileSync(file, gzipSync(ourCapture()));
    const found: string[] = [];
    for await (const batch of readCapture(openCapture(file))) found.push(...payloads(batch));
    assert.deepEqual(found, payloads(decodeCapture(ourCapture())));
  });

  it('a file is read in chunks', async () => {
    const file = join(folder, 'plain.pcap');
    const packets = Array.from({ length: 4000 }, (_, i) => ({
      time: timestampOfMillis(i),
      octets: rsvpV4(),
    }));
    writeFileSync(file, pcapFile(packets));
    let batches = 0;
    let count = 0;
    for await (const batch of readCapture(openCapture(file))) {
      batches += 1;
      count += batch.length;
      assert.ok(batch.every(({ payload }) => hex(payload).length === 80));
    }
    assert.equal(count, 4000);
    assert.ok(batches > 2);
  });
});
