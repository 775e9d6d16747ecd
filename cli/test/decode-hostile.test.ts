import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { readFixture } from '../../fixtures/index.js';
import { buildIp, decodeCapture, pcapFile, timestampOfMillis } from '../../rsvp/capture/index.js';
import { toHex } from '../../rsvp/wire/index.js';
import { RSVP_CODEC } from '../decode/codec.js';
import { decodePacket, type Decoded } from '../decode/message.js';
import { Output } from '../decode/output.js';
import { renderJson, renderLine, renderTree, type Renderer } from '../decode/render.js';

/** What a renderer writes for these messages. */
async function rendered(render: Renderer, messages: readonly Decoded[]): Promise<string> {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done): void {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  const out = new Output(stream);
  for (const message of messages) {
    render(message, out, undefined);
    await out.pause();
  }
  await out.flush();
  return Buffer.concat(chunks).toString('utf8');
}

const recorded = (name: string): Decoded[] =>
  decodeCapture(readFixture(`captures/${name}.pcap`)).map(decodePacket);

describe('decode: what is written', () => {
  it('objects that were seen before are written as the codec writes them', async () => {
    const messages = ['kom-ff-2node', 'kom-se-chain-r1', 'kom-wf-chain-r1'].flatMap(recorded);
    const twice = [...messages, ...messages];
    const trees = (await rendered(renderTree, twice)).split(/^Frame.*\n/m).slice(1);
    const jsons = (await rendered(renderJson, twice)).trimEnd().split('\n');
    assert.equal(trees.length, twice.length);
    twice.forEach(({ rsvp }, i) => {
      assert.equal(trees[i], `${RSVP_CODEC.text(rsvp!, '  ')}\n`);
      assert.deepEqual(
        (JSON.parse(jsons[i]!) as { rsvp: unknown }).rsvp,
        JSON.parse(JSON.stringify(RSVP_CODEC.toJson(rsvp!))),
      );
    });
  });

  it('a text longer than a chunk is written whole', async () => {
    const message = RSVP_CODEC.encode({
      msgType: 1,
      objects: [
        RSVP_CODEC.objects.fromJson({ class: 'x', classNum: 191, cType: 1, body: 'ab'.repeat(60_000) }),
      ],
    });
    const [packet] = decodeCapture(
      pcapFile([
        {
          time: timestampOfMillis(0),
          octets: buildIp({ src: '10.0.0.1', dst: '10.0.0.2', protocol: 46 }, message)[0]!,
        },
      ]),
    );
    const text = await rendered(renderJson, [decodePacket(packet!)]);
    assert.ok(text.includes('ab'.repeat(60_000)));
    assert.ok(text.endsWith('}\n'));
  });

  for (const name of ['kom-ff-2node', 'kom-wf-chain-r1', 'cops-umu-install']) {
    it(`${name}: every prefix and every change of one octet of its messages is rendered`, async () => {
      const messages = recorded(name).slice(0, 6);
      for (const { packet } of messages) {
        const hostile: Decoded[] = [];
        for (let at = 0; at < packet.payload.length; at++) {
          hostile.push(decodePacket({ ...packet, payload: packet.payload.subarray(0, at) }));
          for (const change of [0x01, 0x80, 0xff]) {
            const payload = packet.payload.slice();
            payload[at]! ^= change;
            hostile.push(decodePacket({ ...packet, payload }));
          }
        }
        const lines = (await rendered(renderLine, hostile)).trimEnd().split('\n');
        assert.equal(lines.length, hostile.length);
        await rendered(renderTree, hostile);
        const jsons = (await rendered(renderJson, hostile)).trimEnd().split('\n');
        jsons.forEach((json, i) => {
          const row = JSON.parse(json) as { faults?: unknown[] };
          const { payload } = hostile[i]!.packet;
          if (payload.length < packet.payload.length)
            assert.ok(row.faults !== undefined, `${payload.length} octets`);
        });
        // What has no fault comes back octet for octet, however odd it is.
        for (const {
          rsvp,
          faults,
          packet: { payload },
        } of hostile) {
          if (rsvp !== undefined && faults.length === 0)
            assert.equal(toHex(RSVP_CODEC.encode(rsvp)), toHex(payload));
        }
      }
    });
  }
});
