import assert from 'node:assert/strict';
import { flowOf } from '../../../rsvp/engine/flow.js';
import { errorObjects } from '../../../policy/payment/index.js';
import { octetsOf, plainObjects } from '../../router/policy/objects.js';
import { happeningOf } from '../happening.js';
import { bucketOf, flowTerms } from '../terms.js';

const FLOW = flowOf({
  service: 'controlled-load',
  rate: 250_000,
  bucket: 25_000,
  peak: 500_000,
  minimumPolicedUnit: 64,
  maximumPacketSize: 1500,
  reservedRate: 0,
  slack: 0,
});

describe('what a host says of upcalls (RFC 2205 3.11.1)', () => {
  it('has the reason of the policy node out of the error POLICY_DATA (RFC 2750 4.3)', () => {
    const objects = errorObjects(
      { reason: 'no-payment', text: 'the request carries no payment element' },
      '10.0.0.1',
    );
    // As the engine has them: opaque.
    const policyData = plainObjects(octetsOf(objects)).filter((object) => object.class === 'POLICY_DATA');
    const happening = happeningOf({
      type: 'RESV_ERROR',
      code: 2,
      value: 14,
      node: '10.0.0.1',
      isInPlace: false,
      isNotGuilty: false,
      senders: ['10.0.0.9:5004'],
      flow: FLOW,
      policyData,
      text: '',
    });
    assert.deepEqual(
      [happening.event, happening['reason']],
      ['refused', 'the request carries no payment element'],
    );
    assert.equal(
      happening.text,
      '10.0.0.1 says: error 2 (Policy Control failure), 14 (ERR_PD_MISS: mandatory policy element missing): the request carries no payment element',
    );
  });

  it('names the error, and what stays in place (RFC 2205 A.5)', () => {
    const { text } = happeningOf({
      type: 'RESV_ERROR',
      code: 1,
      value: 2,
      node: '10.0.0.1',
      isInPlace: true,
      isNotGuilty: false,
      senders: [],
      flow: FLOW,
      policyData: [],
      text: '',
    });
    assert.equal(
      text,
      '10.0.0.1 says: error 1 (Admission Control failure), 2 (Requested bandwidth unavailable); what was reserved before stays',
    );
  });

  it('says what is reserved, confirmed, and gone', () => {
    const senders = ['10.0.0.9:5004'];
    const reserved = { type: 'RESV_EVENT', style: 'FF', senders, policyData: [], text: '' } as const;
    assert.equal(
      happeningOf({ ...reserved, flow: FLOW }).text,
      'FF 2 Mbit/s controlled-load is reserved for 10.0.0.9:5004',
    );
    assert.equal(happeningOf({ ...reserved, flow: undefined }).event, 'released');
    assert.equal(
      happeningOf({ type: 'RESV_CONFIRM', node: '10.0.0.9', style: 'FF', senders, flow: FLOW, text: '' })
        .text,
      'FF 2 Mbit/s is confirmed by 10.0.0.9',
    );
  });
});

describe('what a host asks for', () => {
  it('is a bucket of a tenth of a second and a peak of twice the rate', () => {
    const terms = { bandwidth: 2_000_000, size: 1500 };
    assert.deepEqual(bucketOf(terms), {
      rate: 250_000,
      bucket: 25_000,
      peak: 500_000,
      minimumPolicedUnit: 64,
      maximumPacketSize: 1500,
    });
    assert.equal(flowTerms(terms, 'guaranteed').reservedRate, 250_000);
    assert.equal(flowTerms(terms, 'controlled-load'), FLOW, 'equal flows are one value');
  });
});
