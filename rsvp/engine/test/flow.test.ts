import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { Flowspec, RSVP } from '../../wire/index.js';
import {
  compareFlows,
  flowOf,
  flowspecOf,
  glb,
  limitFlow,
  lub,
  readFlow,
  readTspec,
  sumBuckets,
  tspecOf,
} from '../flow.js';
import { flow, tspec } from './network.js';

const CL = flowOf(flow(2));
const GS = flowOf(flow(2, { service: 'guaranteed', reservedRate: 3000, slack: 10 }));

describe('flowspecs (RFC 2210 to 2212)', () => {
  it('are ordered by all their parameters (RFC 2211 8, RFC 2212)', () => {
    assert.equal(compareFlows(CL, flowOf(flow(2))), 'equal');
    assert.equal(compareFlows(flowOf(flow(3)), CL), 'greater');
    assert.equal(compareFlows(CL, flowOf(flow(3))), 'less');
    assert.equal(compareFlows(flowOf(flow(3, { bucket: 1 })), CL), 'incomparable');
    assert.equal(
      compareFlows(flowOf(flow(2, { minimumPolicedUnit: 20 })), CL),
      'greater',
      'a smaller m is more',
    );
    const tighter = flowOf({ ...GS, slack: 5 });
    assert.equal(compareFlows(tighter, GS), 'greater', 'less slack is more');
    assert.equal(compareFlows(CL, GS), 'incompatible');
  });

  it('LUB: the largest r, b, p and R, the smallest m, M and S (RFC 2211 8, RFC 2212)', () => {
    const a = flowOf({
      ...GS,
      rate: 1000,
      bucket: 9000,
      peak: 5000,
      minimumPolicedUnit: 50,
      maximumPacketSize: 1000,
    });
    const b = flowOf({ ...GS, rate: 2000, bucket: 4000, peak: 7000, reservedRate: 2500, slack: 3 });
    const bound = lub(a, b);
    assert.deepEqual(
      { ...bound },
      {
        service: 'guaranteed',
        rate: 2000,
        bucket: 9000,
        peak: 7000,
        minimumPolicedUnit: 50,
        maximumPacketSize: 1000,
        reservedRate: 3000,
        slack: 3,
      },
    );
    assert.equal(lub(CL, GS), undefined);
  });

  it('GLB is at most each of them', () => {
    const bound = glb(flowOf(flow(2, { bucket: 9000 })), flowOf(flow(3, { bucket: 1000 })));
    assert.deepEqual([bound?.rate, bound?.bucket], [2000, 1000]);
  });

  it('sums: rates and sizes added, the smallest m, the largest M (RFC 2211 8)', () => {
    const sum = sumBuckets([tspec(1), { ...tspec(2), minimumPolicedUnit: 10, maximumPacketSize: 9000 }]);
    assert.deepEqual(sum, {
      rate: 3000,
      bucket: 3000,
      peak: 3000,
      minimumPolicedUnit: 10,
      maximumPacketSize: 9000,
    });
  });

  it('minimum of what is sent and what is asked for: ordered and unordered (RFC 2211 8)', () => {
    assert.equal(limitFlow(CL, tspec(5)), CL);
    assert.equal(limitFlow(CL, tspec(1)).rate, 1000);
    const unordered = limitFlow(CL, { ...tspec(1), bucket: 5000 });
    assert.deepEqual([unordered.rate, unordered.bucket], [1000, 5000], 'the larger bucket');
  });

  it('survive the wire', () => {
    for (const one of [CL, GS]) assert.equal(readFlow(flowspecOf(one)), one);
    const read = readTspec(tspecOf(tspec(4)));
    assert.deepEqual(read, tspec(4));
    assert.equal(
      readFlow(flowspecOf(flowOf(flow(2, { peak: Infinity })))),
      flowOf(flow(2, { peak: Infinity })),
    );
  });

  it('with an m of 0, as others send it, are taken and go on as they are', () => {
    const loose = flowOf({ ...CL, minimumPolicedUnit: 0 });
    assert.equal(readFlow(flowspecOf(loose)), loose);
    assert.deepEqual(readTspec(tspecOf({ ...tspec(1), minimumPolicedUnit: 0 })), {
      ...tspec(1),
      minimumPolicedUnit: 0,
    });
    assert.equal(limitFlow(loose, tspec(5)).minimumPolicedUnit, 0);
  });

  it('that make no sense are errors 21 of RFC 2205 Appendix B', () => {
    assert.equal(readFlow(flowspecOf({ ...CL, rate: -1 })), 3);
    assert.equal(readFlow(flowspecOf({ ...CL, bucket: NaN })), 3);
    assert.equal(readFlow(flowspecOf({ ...CL, rate: Infinity })), 3);
    assert.equal(readFlow(flowspecOf({ ...CL, minimumPolicedUnit: 0, maximumPacketSize: 0 })), 3);
    assert.equal(readFlow(flowspecOf({ ...CL, minimumPolicedUnit: 1501 })), 3);
    assert.equal(readFlow(flowspecOf({ ...GS, reservedRate: 1999 })), 3);
    const [fragment] = (flowspecOf(CL) as unknown as { services: object[] }).services;
    const twice = Flowspec.make({ version: 0, services: [fragment, fragment] as never });
    assert.equal(readFlow(twice), 2, 'more than one service (RFC 2210 2.2)');
    const unknown = RSVP.objects.fromJson({
      class: 'FLOWSPEC',
      cType: 2,
      version: 0,
      services: [{ service: 'Null', number: 6, flags: 0, parameters: [] }],
    });
    assert.equal(readFlow(unknown), 2, 'a service that is not provided');
    assert.equal(readTspec(tspecOf({ ...tspec(1), rate: -1 })), 4);
  });
});
