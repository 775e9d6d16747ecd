import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { COPS } from '../../cops/wire/message.js';
import { fixturePath, sharedPath } from '../../fixtures/index.js';
import { decodeCapture, timestampText } from '../../rsvp/capture/index.js';
import { toHex, type WireObject } from '../../rsvp/wire/index.js';
import { RSVP_CODEC } from '../decode/codec.js';
import { decodePacket, type Decoded } from '../decode/message.js';

const SHIPPED = ['kom-ff-2node', 'kom-se-chain-r1', 'kom-se-chain-r2', 'kom-wf-chain-r1', 'cops-umu-install'];
const OTHERS = [
  'communityid-rsvp.pcap',
  'tcpdump-rsvp_cap.pcap',
  'tcpdump-rsvp-infinite-loop.pcap',
  'tcpdump-rsvp-inf-loop-2.pcapng',
  'tcpdump-rsvp_uni-oobr-1.pcap',
];

type Tree = Readonly<Record<string, unknown>>;
interface Recorded {
  readonly _source: { readonly layers: Readonly<Record<string, Tree>> };
}

/** `tshark -T json` repeats names in one object, where JSON.parse would keep the last: they are numbered first. */
function readRecorded(path: string): Recorded[] {
  let count = 0;
  const numbered = readFileSync(path, 'utf8').replaceAll(
    /"((?:rsvp|cops)\.\w+)": (?=[{"])/g,
    (_match, name: string) => `"${name}#${count++}": `,
  );
  return JSON.parse(numbered) as Recorded[];
}

/** All values under a name, wherever they stand in a tree. */
function valuesOf(tree: unknown, name: string): string[] {
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([key, value]) =>
    key.split('#')[0] === name && typeof value === 'string' ? [value] : valuesOf(value, name),
  );
}

const first = (tree: unknown, name: string): string => valuesOf(tree, name)[0] ?? '';

/** What Wireshark calls our fields. Wireshark 4.0 has no name for what is missing here. */
const FIELDS: Readonly<Record<string, readonly (readonly [wireshark: string, ours: string])[]>> = {
  SESSION: [
    ['rsvp.session.ip', 'destAddress|tunnelEndPointAddress'],
    ['rsvp.session.proto', 'protocolId'],
    ['rsvp.session.port', 'dstPort'],
    ['rsvp.session.flags', 'flags'],
    ['rsvp.session.tunnel_id', 'tunnelId'],
  ],
  RSVP_HOP: [
    ['rsvp.hop.neighbor_address_ipv4', 'hopAddress'],
    ['rsvp.hop.logical_interface', 'logicalInterfaceHandle'],
  ],
  TIME_VALUES: [['rsvp.refresh_interval', 'refreshPeriod']],
  RESV_CONFIRM: [['rsvp.confirm.receiver_address_ipv4', 'receiverAddress']],
  STYLE: [
    ['rsvp.style.flags', 'flags'],
    ['rsvp.style.style', 'optionVector'],
  ],
  SENDER_TEMPLATE: [
    ['rsvp.sender.ip', 'srcAddress|tunnelSenderAddress'],
    ['rsvp.sender.port', 'srcPort'],
    ['rsvp.sender.lsp_id', 'lspId'],
  ],
  FILTER_SPEC: [
    ['rsvp.sender.ip', 'srcAddress|tunnelSenderAddress'],
    ['rsvp.sender.port', 'srcPort'],
  ],
  SCOPE: [['rsvp.scope.ipv4_address', 'srcAddresses']],
  ERROR_SPEC: [
    ['rsvp.error.error_node_ipv4', 'errorNodeAddress'],
    ['rsvp.error.error_code', 'errorCode'],
    ['rsvp.error_flags', 'flags'],
  ],
  FLOWSPEC: [
    ['rsvp.flowspec.service_header', 'number'],
    ['rsvp.flowspec.token_bucket_rate', 'tokenBucketRate'],
    ['rsvp.flowspec.token_bucket_size', 'tokenBucketSize'],
    ['rsvp.flowspec.peak_data_rate', 'peakDataRate'],
    ['rsvp.flowspec.rate', 'rate'],
    ['rsvp.flowspec.slack_term', 'slackTerm'],
    ['rsvp.minimum_policed_unit', 'minimumPolicedUnit'],
    ['rsvp.maximum_packet_size', 'maximumPacketSize'],
  ],
  SENDER_TSPEC: [
    ['rsvp.tspec.service_header', 'number'],
    ['rsvp.tspec.token_bucket_rate', 'tokenBucketRate'],
    ['rsvp.tspec.token_bucket_size', 'tokenBucketSize'],
    ['rsvp.tspec.peak_data_rate', 'peakDataRate'],
    ['rsvp.minimum_policed_unit', 'minimumPolicedUnit'],
    ['rsvp.maximum_packet_size', 'maximumPacketSize'],
  ],
  ADSPEC: [['rsvp.adspec.service_header', 'number']],
  HELLO: [
    ['rsvp.hello.source_instance', 'srcInstance'],
    ['rsvp.hello.destination_instance', 'dstInstance'],
  ],
  MESSAGE_ID: [
    ['rsvp.message_id.epoch', 'epoch'],
    ['rsvp.message_id.message_id', 'messageIdentifier'],
  ],
  MESSAGE_ID_LIST: [
    ['rsvp.message_id_list.epoch', 'epoch'],
    ['rsvp.message_id_list.message_id', 'messageIdentifiers'],
  ],
};

function leaves(tree: unknown, names: string): unknown[] {
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([key, value]) =>
    names.split('|').includes(key) && (typeof value !== 'object' || Array.isArray(value))
      ? ([value].flat() as unknown[])
      : leaves(value, names),
  );
}

/** Wireshark writes six digits of a float, and some numbers in hexadecimal. */
function assertSame(theirs: string, ours: unknown, what: string): void {
  if (typeof ours !== 'number') assert.equal(String(ours), theirs, what);
  else assert.ok(Math.abs(Number(theirs) - ours) <= Math.abs(ours) * 1e-5, `${what}: ${ours}, not ${theirs}`);
}

let compared = 0;

function assertObject(theirs: Tree, object: WireObject, what: string): void {
  assert.equal(object.classNum, Number(first(theirs, 'rsvp.object')), `${what}: class`);
  assert.equal(object.cType, Number(first(theirs, 'rsvp.ctype')), `${what}: C-Type of ${object.class}`);
  assert.equal(object.length, Number(first(theirs, 'rsvp.length')), `${what}: length of ${object.class}`);
  if ('body' in object) return;
  for (const [name, ours] of FIELDS[object.class] ?? []) {
    const expected = valuesOf(theirs, name);
    if (expected.length === 0) continue;
    const found = leaves(object, ours);
    assert.equal(found.length, expected.length, `${what}: ${object.class} ${ours}`);
    expected.forEach((value, i) => assertSame(value, found[i], `${what}: ${object.class} ${ours}`));
    compared += expected.length;
  }
}

function assertRsvp(theirs: Tree, { rsvp, faults }: Decoded, what: string): void {
  assert.ok(rsvp !== undefined, what);
  const [header, ...rest] = Object.values(theirs) as Tree[];
  assert.equal(rsvp.msgType, Number(first(header, 'rsvp.msg')), `${what}: type`);
  assert.equal(rsvp.version, Number(first(header, 'rsvp.version')), what);
  assert.equal(rsvp.flags, Number(first(header, 'rsvp.flags')), what);
  assert.equal(rsvp.ttl, Number(first(header, 'rsvp.sending_ttl')), what);
  assert.equal(rsvp.checksum, Number(first(header, 'rsvp.message_checksum')), what);
  if (faults.length === 0) {
    assert.equal(rsvp.length, Number(first(header, 'rsvp.message_length')), what);
    assert.equal(rsvp.objects.length, rest.length, `${what}: objects`);
  }
  // Behind the first fault each goes its own way.
  rsvp.objects.slice(0, rest.length).forEach((object, i) => assertObject(rest[i]!, object, what));
}

function assertCops(theirs: Tree, { cops }: Decoded, what: string): void {
  assert.ok(cops !== undefined, what);
  const number = (name: string): number => Number(first(theirs, name));
  assert.deepEqual(
    [cops.version, cops.flags, cops.opCode, cops.clientType, cops.length],
    ['cops.version', 'cops.flags', 'cops.op_code', 'cops.client_type', 'cops.msg_len'].map(number),
    what,
  );
  const trees = Object.entries(theirs).filter(([key]) => key.startsWith('cops.c_num_tree'));
  assert.deepEqual(
    cops.objects.map(({ classNum, cType, length }) => [classNum, cType, length]),
    trees.map(([, tree]) =>
      ['cops.c_num', 'cops.c_type', 'cops.obj.len'].map((name) => Number(first(tree, name))),
    ),
    what,
  );
}

function assertAgreement(capture: string, path: string, recordedPath: string): void {
  const decoded = decodeCapture(readFileSync(path)).map(decodePacket);
  const recorded = readRecorded(recordedPath).filter(
    ({ _source: { layers } }) => layers['rsvp'] !== undefined || layers['cops'] !== undefined,
  );
  assert.deepEqual(
    decoded.map(({ packet }) => packet.frame),
    recorded.map(({ _source }) => Number(_source.layers['frame']?.['frame.number'])),
    `${capture}: frames`,
  );
  decoded.forEach((message, i) => {
    const { layers } = recorded[i]!._source;
    const what = `${capture}, frame ${message.packet.frame}`;
    const { src, dst, time } = message.packet;
    assert.deepEqual([src, dst], [layers['ip']?.['ip.src'], layers['ip']?.['ip.dst']], what);
    const epoch = String(layers['frame']?.['frame.time_epoch']);
    assert.equal(time && `${timestampText(time)}000`, epoch, what);
    if (layers['rsvp'] !== undefined) assertRsvp(layers['rsvp'], message, what);
    else assertCops(layers['cops']!, message, what);
  });
}

function assertIdentity(path: string): void {
  for (const packet of decodeCapture(readFileSync(path))) {
    const { rsvp, cops } = decodePacket(packet);
    if (packet.faults.length > 0) continue;
    if (rsvp !== undefined) assert.equal(toHex(RSVP_CODEC.encode(rsvp)), toHex(packet.payload));
    if (cops !== undefined) assert.equal(toHex(COPS.encode(cops)), toHex(packet.payload));
  }
}

describe('decode: recorded captures', () => {
  for (const name of SHIPPED) {
    const path = fixturePath(`captures/${name}.pcap`);

    it(`${name}: agrees with what Wireshark said of every message`, () => {
      compared = 0;
      assertAgreement(name, path, `${path}.tshark.json`);
      if (name.startsWith('kom')) assert.ok(compared > 100, `${compared} fields compared`);
    });

    it(`${name}: encodes to the same octets`, () => assertIdentity(path));
  }

  for (const name of OTHERS) {
    it(`${name}: agrees with what Wireshark said, up to the first fault; encodes to the same octets`, function () {
      const path = sharedPath(`captures/${name}`);
      const recorded = sharedPath(`captures/${name}.tshark.json`);
      if (path === undefined || recorded === undefined) {
        this.test!.title += ` (skipped: ${name} is not beside the checkout)`;
        this.skip();
      }
      assertAgreement(name, path, recorded);
      assertIdentity(path);
    });
  }
});
