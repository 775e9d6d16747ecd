import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fixturePath, readFixture, readJsonFixture } from '../../fixtures/index.js';
import {
  buildIp,
  decodeCapture,
  pcapFile,
  timestampOfMillis,
  type IpFields,
} from '../../rsvp/capture/index.js';
import { toHex } from '../../rsvp/wire/index.js';
import { bandex } from './run.js';

const SE = fixturePath('captures/kom-se-chain-r1.pcap');
const COPS = fixturePath('captures/cops-umu-install.pcap');

interface Row {
  readonly file?: string;
  readonly frame: number;
  readonly frames?: readonly number[];
  readonly time: number | null;
  readonly src: string | null;
  readonly dst: string | null;
  readonly routerAlert?: number;
  readonly rsvp?: Message;
  readonly cops?: Message;
  readonly faults?: readonly {
    code: string;
    message: string;
    where: string;
    offset?: number;
    rfc?: string;
  }[];
}
interface Message {
  readonly type: string;
  readonly length: number;
  readonly objects: readonly Readonly<Record<string, unknown>>[];
}

const rows = (lines: readonly string[]): Row[] => lines.map((line) => JSON.parse(line) as Row);

/** RFC 2205's ResvConf of the 2-node capture and its like: real messages to break. */
const MESSAGES = decodeCapture(readFixture('captures/kom-se-chain-r1.pcap')).map(({ payload }) => payload);

const IP: IpFields = { src: '10.0.0.1', dst: '10.0.0.2', protocol: 46, routerAlert: 0 };

function capture(packets: readonly Uint8Array[]): Uint8Array {
  return pcapFile(packets.map((octets, i) => ({ time: timestampOfMillis(1000 + i), octets })));
}

describe('bandex decode', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'bandex-decode-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const file = (name: string, octets: Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, octets);
    return path;
  };

  it('prints one line a message: frame, time, addresses, type, session, style, rate, senders', () => {
    const { code, lines } = bandex(['decode', SE]);
    assert.equal(code, 0);
    assert.equal(lines.length, 13);
    assert.match(
      lines[2]!,
      /^ {4}3 {2}2026-11-22T16:45:57\.407651Z {2}10\.9\.1\.254 > 10\.9\.1\.1 {2}Resv 10\.9\.2\.2:5000\/UDP .*SE controlled-load 125 Gbit\/s 10\.9\.1\.1:6000 10\.9\.1\.1:6001/,
    );
  });

  it('-v prints the tree with the names of the RFCs', () => {
    const { code, out } = bandex(['decode', '-v', SE, '-c', '3']);
    assert.equal(code, 0);
    for (const part of [
      'Frame 1, 2026-11-22T16:45:57.375885Z, 10.9.1.1 > 10.9.2.2, protocol RSVP, TTL 127, Router Alert 0\n',
      'RSVP Path message',
      'SESSION (class 1, C-Type 1 IPv4/UDP, 12 octets)',
      'protocol id: 17 (UDP)',
      'refresh period: 5000 ms',
      'TOKEN_BUCKET_TSPEC',
      '(125 Gbit/s)',
      'MESSAGE_ID (class 23',
    ]) {
      assert.ok(out.includes(part), part);
    }
    assert.equal(out.match(/^Frame/gm)?.length, 3);
  });

  it('--json prints one object a line: frame, time, addresses and the message with its objects', () => {
    const { code, lines } = bandex(['decode', '--json', SE]);
    assert.equal(code, 0);
    const [first] = rows(lines);
    assert.equal(first?.frame, 1);
    assert.equal(first.src, '10.9.1.1');
    assert.equal(first.dst, '10.9.2.2');
    assert.equal(first.routerAlert, 0);
    // The capture's microseconds, to the digit.
    assert.match(lines[0]!, /"time":1795365957\.375885,/);
    assert.equal(first.rsvp?.type, 'Path');
    assert.deepEqual(first.rsvp.objects[0], {
      class: 'SESSION',
      classNum: 1,
      cType: 1,
      length: 12,
      destAddress: '10.9.2.2',
      protocolId: 17,
      flags: 0,
      dstPort: 5000,
    });
  });

  it('COPS: messages out of TCP segments, RSVP inside Signaled ClientSI opened up (RFC 2749 2.3)', () => {
    const { lines } = bandex(['decode', '--json', COPS, '--type', 'REQ']);
    const [request] = rows(lines);
    assert.equal(request?.frame, 24);
    assert.deepEqual(request.frames, [22, 24]);
    assert.deepEqual(
      request.cops?.objects.map((object) => object['class']),
      ['Handle', 'Context', 'IN-Int', 'ClientSI'],
    );
    const inside = request.cops.objects[3]?.['objects'] as Message['objects'];
    assert.equal(inside[0]?.['class'], 'SESSION');
    assert.equal(inside[0]['destAddress'], '10.9.0.2');
  });

  it('filters: any of one kind, all kinds', () => {
    const count = (...args: string[]): number => bandex(['decode', SE, ...args]).lines.length;
    assert.equal(count('--type', 'path', '--type', 'RESV'), 8);
    assert.equal(count('--type', '1', '--sender', '10.9.1.1:6001'), 2);
    assert.equal(count('--session', '10.9.2.2:5000/udp'), 11);
    assert.equal(count('--session', '10.9.2.2:5001'), 0);
    assert.equal(count('--src', '10.9.1.254', '--dst', '10.9.0.0/16'), 6);
    assert.equal(count('--port', '6001', '-c', '2'), 2);
    assert.equal(count('--faults'), 0);
    assert.equal(bandex(['decode', COPS, '--session', '10.9.0.2:5000', '--type', 'REQ']).lines.length, 5);
  });

  it('several files: each line names its own', () => {
    const { lines } = bandex(['decode', '--json', SE, COPS, '-c', '14']);
    assert.deepEqual(
      rows(lines).map((row) => row.file),
      [...new Array<string>(13).fill(SE), COPS],
    );
  });

  it('stdin, and gzip by its content', () => {
    const plain = bandex(['decode', SE]).out;
    assert.equal(bandex(['decode', '-'], readFixture('captures/kom-se-chain-r1.pcap')).out, plain);
    assert.equal(bandex(['decode', '-'], gzipSync(readFixture('captures/kom-se-chain-r1.pcap'))).out, plain);
    assert.equal(
      bandex(['decode', file('x', gzipSync(readFixture('captures/kom-se-chain-r1.pcap')))]).out,
      plain,
    );
  });

  it('a wrong checksum, a truncated message and garbage are said at their places, and decoding goes on', () => {
    const wrong = MESSAGES[0]!.slice();
    wrong[2]! ^= 0xff;
    const right = toHex(MESSAGES[0]!.subarray(2, 4));
    const garbage = MESSAGES[2]!.slice();
    // The second object's length: 0 (RFC 2205 3.1.2: at least 4).
    garbage.set([0, 0], 8 + 12);
    const path = file(
      'faults.pcap',
      capture(
        [wrong, MESSAGES[1]!.subarray(0, 60), garbage, Uint8Array.of(0xff, 1, 2), MESSAGES[3]!].flatMap(
          (message) => buildIp(IP, message),
        ),
      ),
    );
    const { code, lines } = bandex(['decode', '--json', path]);
    assert.equal(code, 0);
    const [a, b, c, d, e] = rows(lines);
    assert.equal(a?.faults?.[0]?.code, 'checksum');
    assert.equal(a.faults[0].message, `a checksum of 0x${toHex(wrong.subarray(2, 4))}, expected 0x${right}`);
    assert.equal(a.faults[0].offset, 2);
    assert.equal(a.faults[0].rfc, 'RFC 2205 3.1.1');
    assert.ok(b?.faults?.some(({ code: fault }) => fault === 'truncated'));
    assert.ok(c?.faults?.some(({ offset }) => offset === 20));
    assert.equal(c?.rsvp?.objects.length, 1);
    assert.equal(d?.rsvp, undefined);
    assert.equal(d?.faults?.[0]?.code, 'truncated');
    assert.equal(e?.faults, undefined);
    assert.equal(e?.rsvp?.type, 'ResvConf');
    assert.equal(bandex(['decode', '--faults', path]).lines.length, 4);
    assert.equal(bandex(['decode', '--strict', path]).code, 3);
    assert.match(bandex(['decode', '-v', path]).out, /\[checksum\] common header at octet 2: a checksum of/);
  });

  it('a message in IP fragments is one message, at the frame that completes it', () => {
    const long = MESSAGES[0]!;
    const path = file('fragments.pcap', capture(buildIp({ ...IP, identification: 3 }, long, 68)));
    const [row, ...rest] = rows(bandex(['decode', '--json', path]).lines);
    assert.deepEqual(rest, []);
    assert.deepEqual(row?.frames, [1, 2, 3, 4]);
    assert.equal(row.rsvp?.type, 'Path');
    assert.match(bandex(['decode', '-v', path]).out, /^Frame 4 \(in 4 parts: 1-4\)/);
  });

  it('exit codes: no capture 3, no file 1, wrong command line 64', () => {
    const none = bandex(['decode', fixturePath('captures/kom-ff-2node.pcap.tshark.json')]);
    assert.equal(none.code, 3);
    assert.match(none.err, /neither a pcap nor a pcapng file: it begins with 0x5b0a/);
    const missing = bandex(['decode', join(folder, 'missing.pcap'), SE]);
    assert.equal(missing.code, 1);
    assert.match(missing.err, /missing\.pcap: ENOENT/);
    assert.equal(missing.lines.length, 13);
    for (const args of [
      [],
      ['-v', '--json', SE],
      ['--src', '10.9.1', SE],
      ['--port', '70000', SE],
      ['--hex', 'ip'],
      ['--nonsense', SE],
    ]) {
      assert.equal(bandex(['decode', ...args]).code, 64, args.join(' '));
    }
  });

  it('a gzip file that is cut short: what there is, then exit code 1', () => {
    const whole = gzipSync(readFixture('captures/kom-se-chain-r1.pcap'), { level: 0 });
    const { code, lines, err } = bandex(['decode', file('cut.gz', whole.subarray(0, 1000))]);
    assert.equal(code, 1);
    assert.ok(lines.length > 1);
    assert.match(err, /unexpected end of file/);
  });

  it('a capture larger than any buffer is read in bounded memory', () => {
    const packets = MESSAGES.flatMap((message) => buildIp(IP, message));
    const octets = capture(Array.from({ length: 30_000 }, (_, i) => packets[i % packets.length]!));
    const { code, lines } = bandex(['decode', file('large.pcap', octets)]);
    assert.equal(code, 0);
    assert.equal(lines.length, 30_000);
  });
});

describe('bandex decode --hex, bandex encode', () => {
  const hexLines = MESSAGES.map(toHex);
  const vectors = readJsonFixture('vectors/cops/vectors.json') as readonly {
    id: string;
    hex: string;
    rfc_hex: string;
  }[];

  it('rsvp: decode --hex --json and encode are the identity on recorded messages', () => {
    const decoded = bandex(['decode', '--hex', 'rsvp', '--json'], hexLines.join('\n'));
    assert.equal(decoded.code, 0);
    const [first] = rows(decoded.lines);
    assert.deepEqual([first?.frame, first?.time, first?.src, first?.dst], [1, null, null, null]);
    const encoded = bandex(['encode', 'rsvp'], decoded.out);
    assert.deepEqual(encoded.lines, hexLines);
    assert.equal(encoded.code, 0);
  });

  it('rsvp: the bare message is taken as well; without a checksum it is computed', () => {
    const [row] = rows(bandex(['decode', '--hex', 'rsvp', '--json'], hexLines[0]).lines);
    const { checksum, ...bare } = row!.rsvp as Message & { checksum: number };
    assert.equal(checksum, parseInt(hexLines[0]!.slice(4, 8), 16));
    assert.deepEqual(bandex(['encode', 'rsvp'], JSON.stringify(bare)).lines, [hexLines[0]]);
  });

  it("cops: the identity on every vector of the RFC's form", () => {
    const good = vectors.map(({ rfc_hex: hex }) => hex).filter((hex) => typeof hex === 'string');
    assert.ok(good.length > 10);
    const decoded = bandex(['decode', '--hex', 'cops', '--json'], good.join('\n'));
    assert.deepEqual(bandex(['encode', 'cops'], decoded.out).lines, good);
  });

  it("cops: the capture's messages through their JSON, objects of RSVP included", () => {
    const { out } = bandex(['decode', '--json', COPS]);
    const expected = decodeCapture(readFixture('captures/cops-umu-install.pcap')).map(({ payload }) =>
      toHex(payload),
    );
    assert.deepEqual(bandex(['encode', 'cops'], out).lines, expected);
    assert.deepEqual(bandex(['encode', 'rsvp'], out).lines, []);
  });

  it('-v works on hex; white space, colons and 0x are no matter, comments and empty lines neither', () => {
    const { code, out } = bandex(
      ['decode', '--hex', 'cops', '-v'],
      '# Keep-Alive\n\n0x1009 0000 00:00:00:08\n',
    );
    assert.equal(code, 0);
    assert.match(out, /^Frame 3\n {2}COPS KA message \(Keep-Alive/);
  });

  it('malformed lines are said by number, the others are done, and the exit code is 3', () => {
    const decoded = bandex(
      ['decode', '--hex', 'rsvp', '--json'],
      `xyz\n${hexLines[0]!}\n1001\n${hexLines[1]!.slice(0, -8)}\n`,
    );
    assert.equal(decoded.code, 3);
    assert.match(decoded.err, /^bandex: line 1: `xyz` is not octets in hex$/m);
    assert.deepEqual(
      rows(decoded.lines).map(({ frame, faults }) => [frame, faults?.[0]?.code]),
      [
        [2, undefined],
        [3, 'truncated'],
        [4, 'truncated'],
      ],
    );
    const session =
      '{"class":"SESSION","cType":1,"destAddress":"10.9.2","protocolId":17,"flags":0,"dstPort":1}';
    const encoded = bandex(
      ['encode', 'rsvp'],
      `{\n{"type":"Path","objects":[${session}]}\n{"type":"Path"}\n"x"\n`,
    );
    assert.equal(encoded.code, 3);
    assert.equal(encoded.lines.length, 1);
    assert.match(encoded.err, /^bandex: line 2: objects\[0\]\.destAddress: expected an IPv4 address/m);
    assert.match(encoded.err, /^bandex: line 4: /m);
  });
});
