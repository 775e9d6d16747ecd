import assert from 'node:assert/strict';
import { readFixture } from '../../fixtures/index.js';
import type { ObjectType, WireObject } from '../../rsvp/wire/object.js';
// eslint-disable-next-line no-restricted-imports -- only this test: what is replayed was recorded
import { decodeCapture } from '../../rsvp/capture/index.js';
import {
  COPS,
  Context,
  CopsError,
  Handle,
  InIntIpv4,
  OP,
  OutIntIpv4,
  PepId,
  Reason,
  ReportType,
  SignaledClientSi,
} from '../index.js';
import type { CopsMessage, PepRequest } from '../index.js';
import { toHex } from '../../rsvp/wire/octets.js';
import { PdpBench, PepBench } from './support.js';

/*
 * The University of Murcia's Java stack as PEP and as PDP, as it was recorded: its octets through our machines. It
 * departs from RFC 2748 twice: its decisions lack the solicited flag (3.2), and it answers an SSQ with an SSQ (3.5, 3.10).
 */
const PEP = '10.9.1.1';
const recorded = decodeCapture(readFixture('captures/cops-umu-install.pcap')).map(({ src, payload }) => ({
  byPep: src === PEP,
  octets: payload,
  message: COPS.decode(payload),
}));

describe('a recorded PEP and PDP (University of Murcia)', () => {
  it('the PEP is served by our PDP without a refusal', () => {
    const refused: string[] = [];
    const reports: string[] = [];
    const bench = new PdpBench({
      accounting: 60,
      refused: (_, problem) => refused.push(problem),
      reported: (request, report) => reports.push(`${request.handle} ${report.type}`),
    });
    for (const { byPep, octets, message } of recorded) {
      if (byPep) bench.receive(octets);
      else if (message.type === 'SSQ') bench.perform(bench.pdp.synchronize(bench.now));
    }
    assert.deepEqual(bench.said(), [
      'CAT 1 KATimer 30, AcctTimer 60',
      ...['1/1', '4/1', '1/2', '2/2', '4/2'].map(
        (context, n) => `DEC+ 1 Handle 0000000${n + 1}, Context ${context}, Decision 1/0`,
      ),
      'KA 0',
      'SSQ 1',
    ]);
    assert.deepEqual(refused, []);
    assert.deepEqual(reports, ['00000003 success', '00000004 success', '00000005 success']);
    assert.equal(bench.pdp.stateOctets, 0, 'the PEP has closed its client-type');
  });

  it('its SSQ is refused where nobody asked it to synchronize: that is for a PDP to say (RFC 2748 3.5)', () => {
    const bench = new PdpBench();
    for (const { byPep, octets } of recorded) if (byPep) bench.receive(octets);
    assert.equal(bench.said().at(-1), 'CC 1 Error 3/0');
  });

  it('the PDP serves our PEP, which says the same as the recorded one, octet for octet', () => {
    const bench = new PepBench({ pepId: 'router1.example', clientType: 1 }).connected();
    const decided: string[] = [];
    for (const { byPep, octets, message } of recorded) {
      if (!byPep) {
        bench.receive(octets);
        for (const effect of bench.told())
          if (effect.kind === 'decision') {
            assert.ok(effect.solicited);
            decided.push(`${effect.handle} ${effect.decisions.map(({ command }) => command).join()}`);
          } else assert.notEqual(effect.kind, 'failed');
        continue;
      }
      if (message.type === 'KA') bench.run(29_999);
      else if (message.type === 'SSQ') {
        // Synchronized as RFC 2748 3.5 has it: what is still installed, then the SSC.
        assert.deepEqual(
          bench.sent.splice(0).map(({ type }) => type),
          ['REQ', 'REQ', 'REQ', 'REQ', 'SSC'],
        );
        continue;
      } else say(bench, message);
      const [said] = bench.sent.splice(0);
      assert.equal(toHex(COPS.encode(said ?? assert.fail(message.type))), toHex(octets));
    }
    assert.deepEqual(
      decided,
      [1, 2, 3, 4, 5].map((n) => `0000000${n} install`),
    );
  });
});

/** Has our PEP do what the recorded one did. */
function say(bench: PepBench, { opCode, objects }: CopsMessage): void {
  const { pep, now } = bench;
  const handle = toHex(find(objects, Handle)?.handle ?? new Uint8Array());
  switch (opCode) {
    case OP.OPN:
      assert.equal(find(objects, PepId)?.pepId, pep.options.pepId);
      return;
    case OP.REQ: {
      const context = find(objects, Context) ?? assert.fail();
      const [inInterface, outInterface] = [find(objects, InIntIpv4), find(objects, OutIntIpv4)];
      const request: PepRequest = {
        handle,
        rType: context.rType,
        mType: context.mType,
        ...(inInterface === undefined ? {} : { inInterface }),
        ...(outInterface === undefined ? {} : { outInterface }),
        clientSi: objects
          .filter((each) => SignaledClientSi.is(each))
          .map(({ data }) => ({ kind: 'signaled', data })),
      };
      bench.perform(pep.request(now, request).effects);
      return;
    }
    case OP.RPT: {
      assert.equal(find(objects, ReportType)?.reportType, 1);
      bench.perform(pep.report(now, handle, 'success', { solicited: false }));
      return;
    }
    case OP.DRQ:
      bench.perform(pep.delete(now, handle, find(objects, Reason)?.reasonCode));
      return;
    case OP.CC:
      bench.perform(pep.close(now, find(objects, CopsError) ?? assert.fail()));
      return;
    default:
      assert.fail(`operation ${opCode}`);
  }
}

function find<T extends object>(
  objects: readonly WireObject[],
  type: ObjectType<T>,
): (WireObject & T) | undefined {
  return objects.find((object): object is WireObject & T => type.is(object));
}
