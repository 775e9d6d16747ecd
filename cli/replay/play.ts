import { setTimeout as sleep } from 'node:timers/promises';
import type { PepClient } from '../../cops/io/index.js';
import { timestampMillis } from '../../rsvp/capture/index.js';
import { rsvpMessage } from './capture.js';
import type { CaptureFile } from './capture.js';
import { Player } from './player.js';
import type { PlayerEvents } from './player.js';
import { CaptureRouter } from './router.js';
import type { RouterOptions } from './router.js';

export interface PlayOptions extends PlayerEvents {
  readonly router: RouterOptions;
  readonly pace: Pace;
  /** A packet that a router would have dropped, or that cannot be read. */
  readonly skipped: (frame: number, why: string) => void;
}

/** Plays a capture over a connection, as far as there is something to ask or to tell. */
export async function playCapture(
  file: CaptureFile,
  client: PepClient,
  options: PlayOptions,
): Promise<Player> {
  const { pace } = options;
  const router = new CaptureRouter(options.router);
  const player = new Player(client, options);
  for await (const packets of file.packets()) {
    for (const packet of packets) {
      if (packet.kind === 'cops') continue;
      const time = packet.time === undefined ? pace.now : timestampMillis(packet.time);
      await pace.until(time);
      const message =
        packet.kind === 'fault' ? (packet.faults[0]?.message ?? 'damaged') : rsvpMessage(packet);
      if (typeof message === 'string') {
        options.skipped(packet.frame, message);
        continue;
      }
      const { frame, src, dst } = packet;
      for (const step of router.receive(message, { frame, time, src, dst })) await player.play(step);
    }
  }
  return player;
}

/** Keeps to the capture's times, faster or slower, or not at all. */
export class Pace {
  /** Time of the first packet; 0 before it. */
  start = 0;
  /** Time of the latest. */
  now = 0;
  #began: number | undefined;

  /** How many times as fast as the capture; `Infinity` does not wait. */
  constructor(readonly factor: number) {}

  async until(time: number): Promise<void> {
    if (this.#began === undefined) {
      this.#began = performance.now();
      this.start = time;
    }
    this.now = Math.max(this.now, time);
    const wait = this.#began + (time - this.start) / this.factor - performance.now();
    if (wait > 1) await sleep(wait);
  }
}
