import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { AuthUser, CredentialAsciiId, ErrorSpecIpv4, find, PolicyData } from '../../wire/index.js';
import type { WireObject } from '../../wire/index.js';
import type { PolicyAnswer } from '../policy.js';
import { readSender } from '../identity.js';
import { One, RECEIVER, S } from './one.js';

const GRANTED: PolicyAnswer = { granted: true };
const REFUSED: PolicyAnswer = {
  granted: false,
  errorCode: 2,
  errorValue: 4,
  objects: [],
  reason: 'the deposit is used up',
};

function data(text: string): WireObject {
  return PolicyData.make({
    elements: [AuthUser.make({ attributes: [CredentialAsciiId.make({ value: text })] })],
  });
}

function asking(options = {}): One {
  return new One({ policy: ['Path', 'Resv'], ...options }, RECEIVER);
}

/** A Path that policy has granted. */
function withPath(options = {}): One {
  const one = asking(options).path('a', S[1]);
  one.decide(one.questions[0]!, GRANTED);
  one.take();
  one.questions = [];
  return one;
}

describe('policy control', () => {
  it('a unicast Path is one question, in and out, and waits for its answer (RFC 2749 5.1)', () => {
    const one = asking().path('a', S[1], { policy: [data('alice')] });
    const [question] = one.questions;
    assert.deepEqual(question?.context, { incoming: true, allocation: false, outgoing: true });
    assert.deepEqual([question.message, question.incoming, question.outgoing], ['Path', 1, 3]);
    assert.deepEqual(
      question.objects.map((object) => object.class),
      ['SESSION', 'RSVP_HOP', 'TIME_VALUES', 'POLICY_DATA', 'SENDER_TEMPLATE', 'SENDER_TSPEC'],
    );
    assert.deepEqual(one.take(), []);
    one.decide(question, GRANTED);
    assert.deepEqual(
      one.take().map(({ message }) => message.type),
      ['Path'],
    );
  });

  it('a unicast Resv is one question: in, allocation and out (RFC 2749 5.1)', () => {
    const one = withPath().resv('c', 'FF', [[[S[1]], 2]], { policy: [data('bob')] });
    const [question] = one.questions;
    assert.deepEqual(question?.context, { incoming: true, allocation: true, outgoing: true });
    assert.deepEqual([question.incoming, question.outgoing, question.neighbour], [3, 1, '10.3.0.1']);
    assert.deepEqual(one.reserved(), []);
    one.decide(question, GRANTED);
    assert.deepEqual(one.reserved(), ['c: S1{2B}']);
    assert.deepEqual(
      one.effects.filter(({ kind }) => kind === 'report'),
      [{ kind: 'report', question: question.id, success: true }],
    );
    const [resv] = one.take('Resv');
    assert.equal(
      find(resv!.message, PolicyData)?.elements.length,
      1,
      'POLICY_DATA as it came (RFC 2750 4.2)',
    );
  });

  it('a refresh that changes nothing asks nothing, neither before the answer nor after (RFC 2749 3.5)', () => {
    const one = withPath()
      .resv('c', 'FF', [[[S[1]], 2]])
      .resv('c', 'FF', [[[S[1]], 2]]);
    assert.equal(one.questions.length, 1);
    one.decide(one.questions[0]!, GRANTED);
    one.resv('c', 'FF', [[[S[1]], 2]]).path('a', S[1]);
    assert.equal(one.questions.length, 1);
  });

  it('a change is asked with the same number, and what is in force stays until then', () => {
    const one = withPath().resv('c', 'FF', [[[S[1]], 2]]);
    one.decide(one.questions[0]!, GRANTED);
    one.resv('c', 'FF', [[[S[1]], 3]]);
    assert.equal(one.questions[1]?.id, one.questions[0]?.id);
    assert.deepEqual(one.reserved(), ['c: S1{2B}']);
    one.decide(one.questions[1]!, GRANTED);
    assert.deepEqual(one.reserved(), ['c: S1{3B}']);
  });

  it('replacement POLICY_DATA goes on in place of what came (RFC 2749 2.4)', () => {
    const one = withPath().resv('c', 'FF', [[[S[1]], 2]], { policy: [data('bob'), data('carol')] });
    one.decide(one.questions[0]!, { granted: true, replacement: [data('isp')] });
    const objects = one.take('Resv')[0]!.message.objects.filter(({ classNum }) => classNum === 14);
    assert.equal(objects.length, 1);
  });

  it('a refusal is a ResvErr with POLICY_DATA, and nothing is reserved (RFC 2750 4.3)', () => {
    const one = withPath().resv('c', 'FF', [[[S[1]], 2]]);
    one.decide(one.questions[0]!, REFUSED);
    const [sent] = one.take();
    const error = find(sent!.message, ErrorSpecIpv4);
    assert.deepEqual([sent?.message.type, error?.errorCode, error?.errorValue], ['ResvErr', 2, 4]);
    assert.ok(find(sent!.message, PolicyData) !== undefined, 'it must include a POLICY_DATA object');
    assert.equal(one.engine.stateCount.reservations, 0);
    assert.ok(
      one.effects.some((effect) => effect.kind === 'forget' && effect.question === one.questions[0]?.id),
    );
    assert.equal(one.eventsOf('policy-refused')[0]?.reason, 'the deposit is used up');
  });

  it('a Path that is refused is a PathErr, and leaves no state', () => {
    const one = asking().path('a', S[1]);
    one.decide(one.questions[0]!, REFUSED);
    assert.deepEqual(
      one.take().map(({ message }) => message.type),
      ['PathErr'],
    );
    assert.deepEqual([one.engine.stateCount.paths, one.engine.stateCount.sessions], [0, 0]);
  });

  it('what was granted can be taken back: an unsolicited Remove (RFC 2748 2.4)', () => {
    const one = withPath().resv('c', 'FF', [[[S[1]], 2]]);
    one.decide(one.questions[0]!, GRANTED);
    one.take();
    one.decide(one.questions[0]!, REFUSED);
    assert.deepEqual(
      one
        .take()
        .map(({ message }) => message.type)
        .sort(),
      ['ResvErr', 'ResvTear'],
    );
    assert.deepEqual(one.reserved(), []);
  });

  it('what policy grants and the link has no room for is reported so (RFC 2749 3.3)', () => {
    const one = new One({ policy: ['Resv'] }, RECEIVER, { reservable: 3000 }).path('a', S[1]);
    one.resv('c', 'FF', [[[S[1]], 4]]);
    const [first] = one.questions;
    one.decide(first!, GRANTED);
    assert.deepEqual(
      one.effects.filter(({ kind }) => kind === 'report' || kind === 'forget'),
      [
        { kind: 'report', question: first!.id, success: false },
        { kind: 'forget', question: first!.id, reason: 'error' },
      ],
    );
    // An increase that fails: "send an updated request to its previous state".
    one.resv('c', 'FF', [[[S[1]], 2]]);
    one.decide(one.questions[1]!, GRANTED);
    one.resv('c', 'FF', [[[S[1]], 4]]);
    one.decide(one.questions[2]!, GRANTED);
    assert.equal(one.questions.length, 4);
    assert.equal(one.questions[3]?.id, one.questions[1]?.id);
    assert.deepEqual(one.reserved(), ['c: S1{2B}']);
  });

  it('a tear ends the question; a timeout as well', () => {
    const one = withPath().resv('c', 'FF', [[[S[1]], 2]]);
    one.decide(one.questions[0]!, GRANTED);
    one.resvTear('c', 'FF', [S[1]]);
    const forgotten = () =>
      one.effects.filter((effect) => effect.kind === 'forget').map(({ reason }) => reason);
    assert.deepEqual(forgotten(), ['tear']);
    one.pass(160_000);
    assert.deepEqual(forgotten(), ['tear', 'timeout']);
    assert.equal(one.engine.stateCount.questions, 0);
  });

  for (const style of ['FF', 'SE', 'WF'] as const) {
    const senders = style === 'WF' ? [] : [S[1]];

    it(`a ResvTear or PathTear ends ${style} state that waits for an answer (RFC 2205 3.1.5, 3.1.6)`, () => {
      for (const tear of [
        (one: One) => one.resvTear('c', style, senders),
        (one: One) => one.pathTear('a', S[1]),
      ]) {
        const one = asking({ policy: ['Resv'] })
          .path('a', S[1])
          .resv('c', style, [[senders, 2]]);
        const [question] = one.questions;
        tear(one);
        assert.deepEqual(
          one.effects.filter(({ kind }) => kind === 'forget'),
          [{ kind: 'forget', question: question!.id, reason: 'tear' }],
        );
        one.decide(question!, GRANTED);
        assert.deepEqual(one.reserved(), []);
        assert.deepEqual(one.take('Resv'), []);
      }
    });
  }

  it('a tear of a part of an SE list leaves the rest, in force and asked about (RFC 2205 3.1.6)', () => {
    const one = asking({ policy: ['Resv'] })
      .path('a', S[1])
      .path('a', S[4]);
    one.resv('c', 'SE', [[[S[1]], 2]]);
    const [question] = one.questions;
    one.decide(question!, GRANTED);
    one.resv('c', 'SE', [[[S[1], S[4]], 3]]).resvTear('c', 'SE', [S[1]]);
    assert.deepEqual(one.reserved(), []);
    const last = one.questions.at(-1);
    assert.equal(last?.id, question!.id);
    assert.deepEqual(
      last.objects.filter(({ classNum }) => classNum === 10).map((object) => readSender(object)?.address),
      [S[4]],
    );
    one.decide(question!, GRANTED);
    assert.deepEqual(one.reserved(), ['c: S4{3B}']);
  });

  it('the filters of two messages that wait for an answer are one list (RFC 2209 2)', () => {
    const one = asking({ policy: ['Resv'] })
      .path('a', S[1])
      .path('a', S[4]);
    one.resv('c', 'SE', [[[S[1]], 2]]).resv('c', 'SE', [[[S[4]], 2]]);
    one.decide(one.questions[0]!, GRANTED);
    assert.deepEqual(one.reserved(), ['c: (S1,S4){2B}']);
  });

  it('an answer that comes too late has no effect', () => {
    const one = withPath()
      .resv('c', 'FF', [[[S[1]], 2]])
      .resvTear('c', 'FF', [S[1]]);
    one.decide(one.questions[0]!, GRANTED);
    assert.deepEqual(one.reserved(), []);
  });

  it('where reservations merge, what goes out is a question of its own (RFC 2749 5.2)', () => {
    const one = new One({ policy: ['Resv'] }).path('a', S[1]);
    one.resv('c', 'FF', [[[S[1]], 2]], { policy: [data('c')] });
    one.decide(one.questions[0]!, GRANTED);
    one.take();
    one.resv('d', 'FF', [[[S[1]], 3]], { policy: [data('d')] });
    assert.deepEqual(one.questions[1]?.context, { incoming: true, allocation: true, outgoing: false });
    one.decide(one.questions[1], GRANTED);
    assert.deepEqual(one.reserved(), ['c: S1{2B}', 'd: S1{3B}']);
    assert.deepEqual(one.take('Resv'), [], 'it waits');
    const out = one.questions[2];
    assert.deepEqual(out?.context, { incoming: false, allocation: false, outgoing: true });
    assert.equal(
      out.objects.filter(({ classNum }) => classNum === 14).length,
      2,
      'both, as a list (RFC 2750 4.2)',
    );
    one.decide(out, { granted: true, replacement: [data('merged')] });
    const [resv] = one.take('Resv');
    assert.equal(resv?.message.objects.filter(({ classNum }) => classNum === 14).length, 1);
  });

  it('priorities of policy go before those of the request', () => {
    const one = withPath().resv('c', 'FF', [[[S[1]], 2]]);
    one.decide(one.questions[0]!, { granted: true, preemptionPriority: 7, defendingPriority: 9 });
    const [traffic] = [...one.engine.traffics()];
    assert.deepEqual([traffic?.preemptionPriority, traffic?.defendingPriority], [7, 9]);
    one.decide(one.questions[0]!, { granted: true, preemptionPriority: 3, defendingPriority: 3 });
    assert.equal([...one.engine.traffics()][0]?.preemptionPriority, 3, 'and can change (RFC 2749 5.1)');
  });

  it('errors are asked about where policy wants that (RFC 2749 3.7)', () => {
    const one = new One({ policy: ['ResvErr'] }, RECEIVER).resv('c', 'FF', [[[S[1]], 2]]);
    assert.deepEqual(one.take(), []);
    one.decide(one.questions[0]!, { granted: true, replacement: [data('why')] });
    const [sent] = one.take();
    assert.deepEqual(
      sent?.message.objects.map((object) => object.class),
      ['SESSION', 'RSVP_HOP', 'ERROR_SPEC', 'POLICY_DATA', 'STYLE', 'FLOWSPEC', 'FILTER_SPEC'],
    );
  });
});
