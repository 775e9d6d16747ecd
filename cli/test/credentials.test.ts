import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fixturePath } from '../../fixtures/index.js';
import { bandex } from './run.js';
import type { Ran } from './run.js';

const key = (name: string): string => fixturePath(`story/keys/${name}`);
const CHECK = [
  'check',
  '--key',
  key('alice.key'),
  '--to',
  key('nick.pub'),
  '--amount',
  '0.44',
  '--nonce',
  'n1',
];
const CREDIT = ['credit', '--key', key('martha.key'), '--to', key('alice.pub')];

describe('bandex credit, offer, check, request: what is typed wrong is said, never thrown', function () {
  this.timeout(20_000);
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'bandex-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function file(name: string, content: string): string {
    const path = join(folder, name);
    writeFileSync(path, content, 'latin1');
    return path;
  }

  function assertSays({ code, out, err }: Ran, exit: number, text: RegExp): void {
    assert.equal(code, exit, err);
    assert.match(err, text);
    assert.doesNotMatch(err, /^ +at /m, 'a stack trace');
    assert.equal(out, '');
  }

  it('a duration that is none, a total that is no amount', () => {
    for (const text of ['2', '1h30', '500ms', '-1s'])
      assertSays(bandex([...CHECK, '--duration', text]), 64, /expected a duration of whole seconds/);
    assertSays(
      bandex([...CREDIT, '--max', '1', '--total', '-3']),
      64,
      /amount: `-3` is not a decimal amount/,
    );
  });

  it('an expression that is no KeyNote is drawn', () => {
    assertSays(
      bandex([...CREDIT, '--max', '1', '--also', 'foo ==']),
      64,
      /expected an expression.*\n.*foo ==/,
    );
  });

  it('a mistyped file name is no principal', () => {
    const ran = bandex(['credit', '--key', key('martha.key'), '--to', 'alcie.pub', '--max', '1']);
    assertSays(ran, 3, /alcie\.pub: there is no such file/);
  });

  it('a day that no calendar has, a nonce that no claim carries, an address that is none', () => {
    assertSays(bandex([...CREDIT, '--max', '1', '--until', '2027-02-30']), 64, /expected a day/);
    assertSays(bandex([...CHECK, '--nonce', '']), 64, /nonce/);
    assertSays(bandex([...CHECK, '--nonce', 'x'.repeat(129)]), 64, /nonce/);
    assertSays(bandex([...CHECK, '--session', 'host/udp/1']), 64, /expected address/);
  });

  it('a check that cannot be read: file, line, column, also where its lines end as on Windows', () => {
    const bad = file('bad', '# a comment\n\nAuthorizer: "x"\nConditions: nonce ==;\n');
    const request = (path: string) => bandex(['request', '--check', path, '--session', '192.0.2.7/udp/5004']);
    assertSays(request(bad), 3, /bad:4:\d+: expected an expression/);
    const windows = file('windows', bandex(CHECK).out.replaceAll('\n', '\r\n'));
    assertSays(request(windows), 3, /windows:1:\d+: .*carriage return/);
  });

  it('an address is bound as RSVP says it, whatever way it was typed (RFC 5952)', () => {
    const { out } = bandex([...CHECK, '--session', '2001:DB8:0:0::1/udp/5004']);
    assert.match(out, /session_address == "2001:db8::1"/);
  });

  it('a request is of one address family', () => {
    const v6 = ['request', '--session', '2001:db8::1/udp/5004', '--as', 'json'];
    assertSays(bandex([...v6, '--sender', '192.0.2.1/5004']), 64, /address family/);
    assertSays(bandex([...v6, '--hop', '192.0.2.1']), 64, /address family/);
    const message = JSON.parse(bandex([...v6, '--sender', '2001:db8::2/5004']).out) as {
      objects: { class: string; cType: number }[];
    };
    const types = message.objects.filter(({ class: name }) =>
      ['SESSION', 'RSVP_HOP', 'FILTER_SPEC'].includes(name),
    );
    assert.deepEqual(
      types.map(({ cType }) => cType),
      [2, 2, 2],
    ); // IPv6, RFC 2205 A.1, A.2, A.9
  });

  it('a time without a zone is UTC', () => {
    const path = join(folder, 'at.pcap');
    const args = ['request', '--session', '192.0.2.7/udp/5004', '--as', 'pcap', '--to', '192.0.2.1'];
    bandex([...args, '-o', path, '--at', '2007-11-20T20:00:00']);
    assert.match(bandex(['decode', path]).out, /2007-11-20T20:00:00/);
  });
});

describe('bandex offer, check: time that is bought', () => {
  it('is a condition of the offer, a demand of the check, and a claim of the request', () => {
    const offer = bandex([
      'offer',
      ...['--key', key('nick.key'), '--to', key('route.pub'), '--price', '0.44'],
      ...['--bandwidth', '50Mbit/s', '--duration', '2h'],
    ]);
    assert.match(offer.out, /@duration >= 1 && @duration <= 7200/);
    const check = bandex([...CHECK, '--duration', '90m']);
    assert.match(check.out, /duration == "5400"/);
    const folder = mkdtempSync(join(tmpdir(), 'bandex-'));
    try {
      const file = join(folder, 'check');
      writeFileSync(file, check.out, 'latin1');
      const request = ['request', '--session', '192.0.2.7/udp/5004', '--sender', '198.51.100.9/5004'];
      const made = bandex([...request, '--bandwidth', '1Mbit/s', '--check', file]);
      const decoded = bandex(['decode', '--hex', 'rsvp', '-v'], made.out);
      assert.match(decoded.out, /duration=5400/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('an authorization says how much its checks may be worth together', () => {
    assert.match(bandex([...CREDIT, '--max', '0.55', '--total', '10']).out, /&total <= 10\.0/);
  });
});
