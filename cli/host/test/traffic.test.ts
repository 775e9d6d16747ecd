import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import { TrafficGenerator } from '../traffic/generator.js';
import { Meter } from '../traffic/meter.js';
import type { Sample } from '../traffic/meter.js';
import { decodeTestPacket, encodeTestPacket, headersOf } from '../traffic/packet.js';
import { trafficPlot } from '../traffic/plot.js';
import { TrafficSink } from '../traffic/sink.js';

const packet = (sequence: number, stream = 1) => ({ stream, sequence, micros: 0 });

describe('the meter of test traffic', () => {
  it('counts what is missing by the numbers, an interval at a time', () => {
    const meter = new Meter();
    for (const sequence of [0, 1, 2, 5]) meter.take(packet(sequence), 1000);
    assert.deepEqual(meter.sample(1000), { at: 1000, rate: 4000, received: 4, lost: 2, loss: 2 / 6 });
    meter.take(packet(6), 1000);
    assert.deepEqual(meter.sample(1500), { at: 1500, rate: 2000, received: 1, lost: 0, loss: 0 });
    assert.deepEqual(meter.sample(2000), { at: 2000, rate: 0, received: 0, lost: 0, loss: 0 });
  });

  it('takes back a loss where a packet comes late, and knows it from one that comes twice', () => {
    const meter = new Meter();
    for (const sequence of [0, 2, 1, 1, 2]) meter.take(packet(sequence), 100);
    assert.deepEqual(meter.totals, { received: 3, octets: 300, lost: 0, duplicates: 2, reordered: 1 });
  });

  it('begins where it first hears a sender, and counts each by itself', () => {
    const meter = new Meter();
    meter.take(packet(1000), 1);
    meter.take(packet(0, 2), 1);
    meter.take(packet(1002), 1);
    assert.equal(meter.totals.lost, 1);
    meter.take(packet(4_000_000_000), 1);
    assert.equal(meter.totals.lost, 1 + (4_000_000_000 - 1003));
    for (let stream = 10; stream < 10_000; stream++) meter.take(packet(0, stream), 1);
    assert.equal(meter.totals.received, 4 + 62, 'there is an end to the streams');
  });
});

describe('test traffic', () => {
  it('has a header that tells it from other packets', () => {
    const octets = encodeTestPacket({ stream: 0xdeadbeef, sequence: 7, micros: 2 ** 33 + 5 }, 100);
    assert.equal(octets.length, 100);
    assert.deepEqual(decodeTestPacket(octets), { stream: 0xdeadbeef, sequence: 7, micros: 5 });
    assert.equal(decodeTestPacket(octets.subarray(0, 15)), undefined);
    assert.equal(decodeTestPacket(Buffer.alloc(64)), undefined);
    assert.deepEqual([headersOf('10.0.0.1'), headersOf('::1')], [28, 48]);
  });

  for (const [address, port] of [
    ['127.0.0.1', 39_551],
    ['::1', 39_553],
  ] as const) {
    it(`is sent at its rate, and measured: ${address}`, async () => {
      const samples: Sample[] = [];
      const failed = (error: Error): void => {
        throw error;
      };
      const sink = new TrafficSink({ address, port }, (sample) => samples.push(sample), failed);
      await sink.start();
      const generator = new TrafficGenerator({
        from: { address, port: port + 1 },
        to: { address, port },
        rate: 125_000,
        size: 500,
        failed,
      });
      await generator.start();
      // Not ours: it does not count.
      const stranger = createSocket(address.includes(':') ? 'udp6' : 'udp4');
      stranger.send('hello', port, address);
      while (samples.length < 2) await sleep(20);
      await generator.stop();
      await sleep(50);
      stranger.close();
      await sink.stop();
      const { received, octets, lost } = sink.meter.totals;
      assert.deepEqual([received, lost], [generator.sent, 0]);
      assert.equal(octets, received * 500);
      // 250 packets a second; a busy machine is late, and makes up for less than 200 ms of it.
      assert.ok(
        (samples[1]?.received ?? 0) > 150 && (samples[1]?.received ?? 0) < 350,
        JSON.stringify(samples),
      );
    }).timeout(10_000);
  }
});

describe('the plot of test traffic', () => {
  const samples: Sample[] = [
    { at: 1000, rate: 125_000, received: 250, lost: 0, loss: 0 },
    { at: 2000, rate: 62_500, received: 125, lost: 125, loss: 0.5 },
  ];

  it('has a line for the rate, a bar for loss, and a mark for what happened', () => {
    const svg = trafficPlot('a < b & c', samples, [{ at: 1500, text: 'reserved' }]);
    // 740 x 320 from (90, 50): a megabit is the whole height.
    assert.match(svg, /<polyline class="rate" points="275,50 645,210"\/>/);
    assert.deepEqual(svg.match(/<rect class="loss"[^>]*>/g), [
      '<rect class="loss" x="460" y="210" width="370" height="160"/>',
    ]);
    assert.match(svg, /<line class="mark" x1="645" x2="645"/);
    assert.match(svg, />1 Mbit\/s<.*>100 %</);
    assert.match(svg, /<title>a &#60; b &#38; c<\/title>/);
  });

  it('can be empty', () => assert.match(trafficPlot('nothing', []), /<polyline class="rate" points=""\/>/));
});
