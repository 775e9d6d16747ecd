import assert from 'node:assert/strict';
import { readFixture } from '../../../fixtures/index.js';
import { checkChecksum, RSVP, toHex } from '../index.js';
import { capturedMessages } from './captured.js';

describe('RSVP messages captured from other implementations', () => {
  const captured = capturedMessages();

  it('decode and encode to the same octets, through JSON as well', () => {
    assert.ok(captured.length >= 40);
    for (const { octets, file, frame } of captured) {
      const message = RSVP.decode(octets);
      const where = `${file} frame ${frame}`;
      assert.equal(toHex(RSVP.encode(message)), toHex(octets), where);
      const json: unknown = JSON.parse(JSON.stringify(RSVP.toJson(message)));
      assert.equal(toHex(RSVP.encode(RSVP.fromJson(json))), toHex(octets), where);
      assert.equal(checkChecksum(octets), 'correct', where);
    }
  });

  it('have the types, classes, C-Types, lengths and fields that Wireshark prints', () => {
    let compared = 0;
    for (const { octets, file, frame } of captured) {
      if (!file.startsWith('kom-')) continue;
      const theirs = dissected(file, frame);
      const ours = leaves(RSVP.toJson(RSVP.decode(octets)));
      for (const [name, field] of Object.entries(SAME)) {
        const values = (ours.get(field) ?? []).map(comparable);
        assert.deepEqual(values, (theirs.get(name) ?? []).map(comparable), `${file} frame ${frame}: ${name}`);
        compared += values.length;
      }
    }
    assert.ok(compared > 1000);
  });
});

/** Wireshark's names of fields, and ours. Both print them in the order of the octets. */
const SAME: Readonly<Record<string, string>> = {
  'rsvp.msg': 'msgType',
  'rsvp.sending_ttl': 'ttl',
  'rsvp.message_checksum': 'checksum',
  'rsvp.object': 'classNum',
  'rsvp.ctype': 'cType',
  'rsvp.session.ip': 'destAddress',
  'rsvp.session.proto': 'protocolId',
  'rsvp.session.port': 'dstPort',
  'rsvp.hop.neighbor_address_ipv4': 'hopAddress',
  'rsvp.hop.logical_interface': 'logicalInterfaceHandle',
  'rsvp.refresh_interval': 'refreshPeriod',
  'rsvp.sender.ip': 'srcAddress',
  'rsvp.sender.port': 'srcPort',
  'rsvp.style.style': 'optionVector',
  'rsvp.confirm.receiver_address_ipv4': 'receiverAddress',
  'rsvp.scope.ipv4_address': 'srcAddresses',
  'rsvp.error.error_node_ipv4': 'errorNodeAddress',
  'rsvp.error.error_code': 'errorCode',
  'rsvp.error_value': 'errorValue',
  'rsvp.minimum_policed_unit': 'minimumPolicedUnit',
  'rsvp.maximum_packet_size': 'maximumPacketSize',
  'rsvp.flowspec.rate': 'rate',
  'rsvp.flowspec.slack_term': 'slackTerm',
  'rsvp.adspec.float': 'pathBandwidth',
};

/** Every `name: value` that Wireshark prints of a frame's RSVP. As text: its JSON repeats names in one object. */
function dissected(file: string, frame: number): Map<string, string[]> {
  const text = readFixture(`captures/${file}.tshark.json`).toString();
  const packet = text.split('"_index"')[frame] ?? '';
  const found = new Map<string, string[]>();
  for (const [, name = '', value = ''] of packet.matchAll(/"(rsvp\.[\w.]+)": "([^"]*)"/g)) {
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return found;
}

function leaves(value: unknown, name = '', found = new Map<string, string[]>()): Map<string, string[]> {
  if (typeof value === 'object' && value !== null) {
    for (const [key, part] of Object.entries(value)) leaves(part, Array.isArray(value) ? name : key, found);
  } else found.set(name, [...(found.get(name) ?? []), String(value)]);
  return found;
}

/** Wireshark prints six digits of a float, and some numbers in hex. */
function comparable(value: string): string {
  if (value === 'Infinity' || value === 'inf') return 'infinity';
  return Number.isNaN(Number(value)) ? value : Number(value).toPrecision(6);
}
