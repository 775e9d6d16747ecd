import assert from 'node:assert/strict';
import { R_TYPE, REASON } from '../../cops/index.js';
import { readFixture } from '../../fixtures/index.js';
import { decodeCapture, timestampMillis } from '../../rsvp/capture/index.js';
import {
  ControlledLoad,
  ErrorSpecIpv4,
  FF,
  FilterSpecIpv4,
  firstOf,
  Flowspec,
  MessageId,
  MessageIdList,
  RSVP,
  RsvpHopIpv4,
  SE,
  SenderTemplateIpv4,
  SessionIpv4,
  Style,
  TimeValues,
  TokenBucketTspec,
  WF,
} from '../../rsvp/wire/index.js';
import type { RsvpInput, WireObject } from '../../rsvp/wire/index.js';
import { FIRST_UPSTREAM, interfaceRule, InterfaceTable } from '../replay/interfaces.js';
import { rsvpMessage } from '../replay/capture.js';
import { CaptureRouter } from '../replay/router.js';
import type { RouterOptions } from '../replay/router.js';
import type { AskStep, Step } from '../replay/steps.js';

const { incoming, allocation, outgoing } = R_TYPE;
const SENDER = '198.51.100.9';
const ROUTER = '192.0.2.1';
const RECEIVER = '192.0.2.7';

/** A capture that is made up as it is played. */
class Line {
  readonly router: CaptureRouter;
  #frame = 0;

  constructor(options: Partial<RouterOptions> = {}) {
    this.router = new CaptureRouter({ interfaces: new InterfaceTable(), ...options });
  }

  at(seconds: number, input: RsvpInput, src: string, dst: string): Step[] {
    const message = RSVP.decode(RSVP.encode(input));
    return this.router.receive(message, { frame: ++this.#frame, time: seconds * 1000, src, dst });
  }

  path(seconds: number, port = 1, more: readonly WireObject[] = [], session = SESSION): Step[] {
    const objects = [
      session,
      hop(SENDER),
      TimeValues.make({ refreshPeriod: 30_000 }),
      ...more,
      template(port),
    ];
    return this.at(seconds, { msgType: 1, objects }, SENDER, RECEIVER);
  }

  resv(
    seconds: number,
    style: number,
    descriptor: readonly WireObject[],
    more: readonly WireObject[] = [],
    session = SESSION,
  ): Step[] {
    const objects = [
      session,
      hop(RECEIVER),
      TimeValues.make({ refreshPeriod: 30_000 }),
      ...more,
      styleOf(style),
      ...descriptor,
    ];
    return this.at(seconds, { msgType: 2, objects }, RECEIVER, ROUTER);
  }

  tear(seconds: number, style: number, filters: readonly WireObject[]): Step[] {
    return this.at(
      seconds,
      { msgType: 6, objects: [SESSION, hop(RECEIVER), styleOf(style), ...filters] },
      RECEIVER,
      ROUTER,
    );
  }
}

const SESSION = SessionIpv4.make({ destAddress: RECEIVER, protocolId: 17, flags: 0, dstPort: 5004 });
const GROUP = SessionIpv4.make({ destAddress: '233.252.0.1', protocolId: 17, flags: 0, dstPort: 5004 });
const hop = (hopAddress: string): WireObject => RsvpHopIpv4.make({ hopAddress, logicalInterfaceHandle: 0 });
const template = (srcPort: number): WireObject => SenderTemplateIpv4.make({ srcAddress: SENDER, srcPort });
const filter = (srcPort: number): WireObject => FilterSpecIpv4.make({ srcAddress: SENDER, srcPort });
const styleOf = (optionVector: number): WireObject => Style.make({ flags: 0, optionVector });
/** A FLOWSPEC whose contents do not matter here. */
const flowspec = (octet: number): WireObject =>
  ({
    class: 'FLOWSPEC',
    classNum: 9,
    cType: 1,
    length: 8,
    body: Uint8Array.of(octet, 0, 0, 0),
  }) as WireObject;

/** Controlled load of `rate` octets a second. */
function flowspecOf(rate: number, maximumPacketSize: number): WireObject {
  const bucket = {
    flags: 0,
    tokenBucketRate: rate,
    tokenBucketSize: 100,
    peakDataRate: rate,
    minimumPolicedUnit: 64,
    maximumPacketSize,
  };
  return Flowspec.make({
    version: 0,
    services: [ControlledLoad.make({ flags: 0, parameters: [TokenBucketTspec.make(bucket)] })],
  });
}

function bucketIn(objects: readonly WireObject[]): number[] {
  const service = firstOf(objects, Flowspec)?.services[0];
  const bucket = firstOf((service as unknown as { parameters: object[] }).parameters, TokenBucketTspec);
  return [bucket?.tokenBucketRate ?? 0, bucket?.maximumPacketSize ?? 0];
}

function asks(steps: readonly Step[]): AskStep[] {
  return steps.filter((step) => step.kind === 'ask');
}

function deletes(steps: readonly Step[]): string[] {
  return steps.filter((step) => step.kind === 'delete').map((step) => `${step.handle} ${step.reasonCode}`);
}

describe('the router that a capture shows', () => {
  it('asks about a unicast Path in and out at once, and a unicast FF Resv in all three steps (RFC 2749 5.1)', () => {
    const line = new Line();
    const [path] = asks(line.path(0));
    const [resv] = asks(line.resv(1, FF, [flowspec(1), filter(1)]));
    assert.deepEqual([path?.rType, path?.mType], [incoming | outgoing, 1]);
    assert.deepEqual([resv?.rType, resv?.mType], [incoming | allocation | outgoing, 2]);
    assert.notEqual(path?.handle, resv?.handle);
  });

  it('names in the interface objects where a message came from and goes to (RFC 2748 2.2.3, 2.2.4)', () => {
    const line = new Line();
    const [path] = asks(line.path(0));
    const [resv] = asks(line.resv(1, FF, [flowspec(1), filter(1)]));
    assert.deepEqual(path?.inInterface, { address: SENDER, ifindex: FIRST_UPSTREAM });
    assert.deepEqual(path.outInterface, { address: RECEIVER, ifindex: 1 });
    assert.deepEqual(resv?.inInterface, { address: RECEIVER, ifindex: 1 });
    assert.deepEqual(resv.outInterface, { address: SENDER, ifindex: FIRST_UPSTREAM });
  });

  it('takes ifIndexes from --interface, by the router, a neighbour or a prefix', () => {
    const interfaces = new InterfaceTable([interfaceRule(`${ROUTER}=7`), interfaceRule('198.51.100.0/24=9')]);
    const line = new Line({ interfaces });
    assert.equal(asks(line.path(0))[0]?.inInterface?.ifindex, 9);
    assert.equal(asks(line.resv(1, FF, [flowspec(1), filter(1)]))[0]?.inInterface?.ifindex, 7);
  });

  it('refuses an interface that is none', () => {
    for (const text of ['10.0.0.1', '10.0.0=1', '10.0.0.0/33=1', '10.0.0.1=4294967296', 'x=1']) {
      assert.throws(() => interfaceRule(text), /--interface/, text);
    }
  });

  it('asks about a multicast Path as it comes in, and a multicast Resv in and allocation (RFC 2749 3.6, 5.2)', () => {
    const line = new Line();
    const [path] = asks(line.path(0, 1, [], GROUP));
    const [resv] = asks(line.resv(1, WF, [flowspec(1)], [], GROUP));
    assert.equal(path?.rType, incoming);
    assert.equal(path.outInterface, undefined);
    assert.equal(resv?.rType, incoming | allocation);
    assert.deepEqual(
      resv.then.map((step) => [step.rType, step.outInterface?.address]),
      [[outgoing, SENDER]],
    );
  });

  it('asks for the outgoing message of a shared unicast reservation on its own, once it is granted (RFC 2749 3.6 a)', () => {
    const line = new Line();
    line.path(0, 1);
    line.path(0, 2);
    const [resv] = asks(line.resv(1, SE, [flowspec(1), filter(1), filter(2)]));
    assert.equal(resv?.rType, incoming | allocation);
    assert.equal(resv.then.length, 1, 'both senders are behind one previous hop');
    assert.notEqual(resv.then[0]?.handle, resv.handle);
  });

  it('asks separately where a second next hop of an interface must be merged with the first (RFC 2749 5.2)', () => {
    const line = new Line();
    line.path(0, 1, [], GROUP);
    const [alone] = asks(line.resv(1, WF, [flowspecOf(1000, 1500)], [], GROUP));
    const objects = [
      GROUP,
      hop('192.0.2.8'),
      TimeValues.make({ refreshPeriod: 30_000 }),
      styleOf(WF),
      flowspecOf(3000, 576),
    ];
    const [second] = asks(line.at(2, { msgType: 2, objects }, '192.0.2.8', ROUTER));
    assert.equal(second?.rType, incoming);
    const [first, merged] = second.then;
    assert.deepEqual([first?.handle, first?.rType], [alone?.handle, incoming]);
    assert.equal(merged?.rType, allocation);
    assert.equal(new Set([alone?.handle, second.handle, merged.handle]).size, 3);
    assert.deepEqual(
      merged.then.map(({ handle, rType }) => [handle, rType]),
      [[alone?.then[0]?.handle, outgoing]],
    );
    // RFC 2211 "Ordering and Merging": the largest rate, the smallest maximum packet size.
    assert.deepEqual(bucketIn(merged.objects), [3000, 576]);
  });

  it('unpacks the flows of an FF Resv, each with all POLICY_DATA (RFC 2749 3.1)', () => {
    const line = new Line();
    const policy = {
      class: 'POLICY_DATA',
      classNum: 14,
      cType: 9,
      length: 8,
      body: Uint8Array.of(1, 2, 3, 4),
    } as WireObject;
    // The second flow has the FLOWSPEC of the first one (RFC 2205 3.1.4).
    const steps = asks(
      line.resv(0, FF, [flowspec(1), filter(1), filter(2), flowspec(3), filter(3)], [policy]),
    );
    assert.deepEqual(
      steps.map(({ objects }) => objects.map((object) => object.class).join(' ')),
      Array<string>(3).fill('SESSION RSVP_HOP TIME_VALUES POLICY_DATA STYLE FLOWSPEC FILTER_SPEC'),
    );
    const flowspecs = steps.map(({ objects }) => objects.find(({ class: name }) => name === 'FLOWSPEC'));
    assert.deepEqual(
      flowspecs.map((object) => (object as unknown as { body: Uint8Array }).body[0]),
      [1, 1, 3],
    );
    assert.equal(new Set(steps.map(({ handle }) => handle)).size, 3);
  });

  it('does not ask for a refresh that changes nothing, and asks again under the same handle for one that does (RFC 2749 3.5)', () => {
    const line = new Line();
    const [first] = asks(line.path(0));
    assert.deepEqual(line.path(30), []);
    const [second] = asks(line.path(60, 1, [flowspec(2)]));
    assert.equal(second?.handle, first?.handle);
    const eager = new Line({ refreshes: true });
    eager.path(0);
    assert.deepEqual(
      asks(eager.path(30)).map(({ isRefresh }) => isRefresh),
      [true],
    );
  });

  it('deletes on tears with reason Tear (RFC 2748 2.2.5, RFC 2749 3.4)', () => {
    const line = new Line();
    line.path(0);
    const [resv] = asks(line.resv(1, FF, [flowspec(1), filter(1)]));
    assert.deepEqual(deletes(line.tear(2, FF, [filter(2)])), [], 'another sender');
    assert.deepEqual(deletes(line.tear(2, FF, [filter(1)])), [`${resv?.handle} ${REASON.tear}`]);
    assert.deepEqual(deletes(line.tear(3, FF, [filter(1)])), [], 'only once');
  });

  it('deletes the reservation with the last of its path states (RFC 2205 3.1.5)', () => {
    const line = new Line();
    const [path] = asks(line.path(0));
    const [resv] = asks(line.resv(1, WF, [flowspec(1)]));
    const [out] = resv?.then ?? [];
    const steps = line.at(2, { msgType: 5, objects: [SESSION, hop(SENDER), template(1)] }, SENDER, RECEIVER);
    assert.deepEqual(
      deletes(steps),
      [path, resv, out].map((step) => `${step?.handle} ${REASON.tear}`),
    );
    assert.equal(line.router.stateCount, 0);
  });

  it('tells what is left of a shared reservation when one of its senders is torn down (RFC 2749 3.4)', () => {
    const line = new Line();
    const [whole] = asks(line.resv(0, SE, [flowspec(1), filter(1), filter(2)]));
    const [left] = asks(line.tear(1, SE, [filter(2)]));
    assert.equal(left?.handle, whole?.handle);
    assert.equal(left?.flow, `SE ${SENDER}/1`);
    assert.deepEqual(
      line.resv(2, SE, [flowspec(1), filter(1)]),
      [],
      'the Resv that follows says what is known',
    );
  });

  it('deletes with reason Timeout what was not refreshed for (K + 0.5) * 1.5 * R = 157.5 s (RFC 2205 3.7)', () => {
    const line = new Line();
    const [path] = asks(line.path(0));
    assert.deepEqual(line.router.expire(157_499, 9), []);
    const steps = line.router.expire(157_500, 9);
    assert.deepEqual(deletes(steps), [`${path?.handle} ${REASON.timeout}`]);
    assert.deepEqual([steps[0]?.message, steps[0]?.time], ['timeout', 157_500]);
  });

  it('lets a Srefresh refresh the states whose MESSAGE_IDs it lists, of that neighbour alone (RFC 2961 5)', () => {
    const id = MessageId.make({ flags: 0, epoch: 5, messageIdentifier: 77 });
    const list = MessageIdList.make({ flags: 0, epoch: 5, messageIdentifiers: [77] });
    for (const [src, isAlive] of [
      [SENDER, true],
      [RECEIVER, false],
    ] as const) {
      const line = new Line();
      line.path(0, 1, [id]);
      line.at(100, { msgType: 15, objects: [list] }, src, ROUTER);
      assert.equal(line.router.expire(200_000, 9).length === 0, isAlive, src);
    }
  });

  it('asks about errors under handles that go with the decision (RFC 2748 2.2.5, Transient Handle)', () => {
    const line = new Line();
    line.path(0);
    const error = ErrorSpecIpv4.make({ errorNodeAddress: RECEIVER, flags: 0, errorCode: 2, errorValue: 3 });
    const [step] = asks(line.at(1, { msgType: 3, objects: [SESSION, error, template(1)] }, RECEIVER, ROUTER));
    assert.deepEqual([step?.rType, step?.mType, step?.isTransient], [incoming | outgoing, 3, true]);
    assert.equal(step?.outInterface?.address, SENDER);
  });

  it('leaves out what the router that is played has sent itself', () => {
    const line = new Line({ own: new Set([SENDER]) });
    assert.deepEqual(line.path(0), []);
  });

  it('plays the FF capture of another implementation: refreshed by Srefresh, ended by PathTear', () => {
    const router = new CaptureRouter({ interfaces: new InterfaceTable() });
    const steps: Step[] = [];
    for (const packet of decodeCapture(readFixture('captures/kom-ff-2node.pcap'))) {
      const message = rsvpMessage(packet);
      assert.ok(typeof message !== 'string' && packet.time !== undefined);
      steps.push(...router.receive(message, { ...packet, time: timestampMillis(packet.time) }));
    }
    assert.deepEqual(
      steps.map((step) => [step.frame, step.message, step.kind, step.handle]),
      [
        [1, 'Path', 'ask', '00000001'],
        [2, 'Resv', 'ask', '00000002'],
        [9, 'PathTear', 'delete', '00000001'],
        [9, 'PathTear', 'delete', '00000002'],
      ],
    );
  });
});
