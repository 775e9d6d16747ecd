import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { find, MessageId, MessageIdList, MessageIdNack, RSVP, TimeValues } from '../../wire/index.js';
import type { RsvpInput } from '../../wire/index.js';
import { tspecOf } from '../flow.js';
import { hopObject, templateObject } from '../identity.js';
import { tspec } from './network.js';
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

  it('one that has lost a sender with its path state has to come whole as well, for the path state may come back', () => {
    for (const style of ['SE', 'FF'] as const) {
      const one = new One().path('a', S[1]).path('a', S[2]);
      const resv = () =>
        one.resv(
          'c',
          style,
          style === 'SE'
            ? [[[S[1], S[2]], 2]]
            : [
                [[S[1]], 2],
                [[S[2]], 2],
              ],
          numbered(1),
        );
      resv().pathTear('a', S[2]).path('a', S[2]).take();
      assert.deepEqual(senders(one), [`${S[1]}:6000`]);
      srefresh(one, 1).pass(1000);
      assert.ok(one.take().some(({ message }) => find(message, MessageIdNack)?.messageIdentifier === 1));
      resv();
      assert.deepEqual(senders(one), [`${S[1]}:6000`, `${S[2]}:6000`]);
    }
  });

  it('one that was refused a part is asked for again in whole, and gets that once there is room (RFC 2205 3.1.4, RFC 2961 5.4)', () => {
    // What does not fit, in units of 1000 octets/s, comes first or last in the message.
    for (const wants of [
      [6, 2],
      [2, 6],
    ]) {
      const one = new One({}, undefined, { reservable: 5000 }).path('a', S[1]).path('a', S[2]);
      const resv = () =>
        one
          .resv(
            'c',
            'FF',
            wants.map((units, i) => [[S[i + 1] as string], units]),
            numbered(1),
          )
          .take();
      resv();
      assert.deepEqual(senders(one), [`${wants[0] === 2 ? S[1] : S[2]}:6000`]);
      one.interfaces = one.interfaces.map((link) => ({ ...link, reservable: 10_000 }));
      one.do(one.engine.interfacesChanged(one.now, one.interfaces)).take();
      srefresh(one, 1).pass(1000);
      assert.ok(one.take().some(({ message }) => find(message, MessageIdNack)?.messageIdentifier === 1));
      resv();
      assert.deepEqual(new Set(senders(one)), new Set([`${S[1]}:6000`, `${S[2]}:6000`]));
      srefresh(one, 1).pass(1000);
      assert.ok(one.take().every(({ message }) => find(message, MessageIdNack) === undefined));
    }
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

  it('a Path in a Bundle has the addresses of its neighbours, and its own Send_TTL (RFC 2961 3.3, 3.4)', () => {
    const one = new One();
    const path = RSVP.encode({
      msgType: 1,
      ttl: 20,
      objects: [
        one.session(),
        hopObject('10.1.0.1', 7),
        TimeValues.make({ refreshPeriod: R }),
        templateObject({ cType: 1, address: S[1], port: 6000 }),
        tspecOf(tspec(1)),
      ],
    });
    const bundle: RsvpInput = { msgType: 12, flags: 1, ttl: 255, objects: [], trailing: path };
    one.arrive('a', bundle, { source: '10.1.0.1', ttl: 255 });
    assert.deepEqual(
      [...one.engine.senders()].map(({ sender, isAfterNonRsvpHop }) => [sender, isAfterNonRsvpHop]),
      [[`${S[1]}:6000`, false]],
    );
    assert.deepEqual(
      one.take('Path').map(({ ttl }) => ttl),
      [19, 19],
    );
  });
});
