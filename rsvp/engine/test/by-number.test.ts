import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { find, MessageId, MessageIdList, MessageIdNack } from '../../wire/index.js';
import { One, S } from './one.js';

const EPOCH = 7;
/** R */
const R = 30_000;

/** A next hop that refreshes by number. */
function numbered(messageIdentifier: number) {
  return { extra: [MessageId.make({ flags: 0, epoch: EPOCH, messageIdentifier })] };
}

function srefresh(one: One, id: number): One {
  const list = MessageIdList.make({ flags: 0, epoch: EPOCH, messageIdentifiers: [id] });
  return one.arrive('c', { msgType: 15, flags: 1, objects: [list] }, { source: '10.3.0.1' });
}

function senders(one: One): readonly string[] {
  return [...one.engine.reservations()].flatMap((reservation) => reservation.senders);
}

describe('reservations that are refreshed by number (RFC 2961 5)', () => {
  it('a Resv of which some senders are not known yet is not: an Srefresh is answered with a NACK, so that it comes whole', () => {
    const one = new One().path('a', S[1]);
    one.resv('c', 'SE', [[[S[1], S[2]], 2]], numbered(1));
    assert.deepEqual(senders(one), [`${S[1]}:6000`]);
    one.path('a', S[2]).take();
    srefresh(one, 1).pass(1000);
    assert.ok(one.take().some(({ message }) => find(message, MessageIdNack)?.messageIdentifier === 1));
    one.resv('c', 'SE', [[[S[1], S[2]], 2]], numbered(1)).take();
    assert.deepEqual(senders(one), [`${S[1]}:6000`, `${S[2]}:6000`]);
    srefresh(one, 1).pass(1000);
    assert.ok(one.take().every(({ message }) => find(message, MessageIdNack) === undefined));
  });

  it('a sender that the latest Resv does not name times out, however often that is refreshed (RFC 2209 2)', () => {
    const one = new One()
      .path('a', S[1], { refreshPeriod: 100 * R })
      .path('a', S[2], { refreshPeriod: 100 * R });
    one.resv('c', 'SE', [[[S[1], S[2]], 2]], numbered(1));
    one.resv('c', 'SE', [[[S[1]], 2]], numbered(2));
    for (let n = 0; n < 7; n++) srefresh(one.pass(R), 2);
    assert.deepEqual(senders(one), [`${S[1]}:6000`]);
  });
});
