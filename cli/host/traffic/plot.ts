import { rateText } from '../../show/text.js';
import type { Sample } from './meter.js';

/** What happened meanwhile, to be seen beside the traffic. */
export interface Mark {
  /** Milliseconds since the meter began. */
  readonly at: number;
  readonly text: string;
}

const WIDTH = 900;
const HEIGHT = 420;
const LEFT = 90;
const RIGHT = 70;
const TOP = 50;
const BOTTOM = 50;
const INNER_WIDTH = WIDTH - LEFT - RIGHT;
const INNER_HEIGHT = HEIGHT - TOP - BOTTOM;

/** Received rate (line, left) and loss (bars, right) over time, as SVG. */
export function trafficPlot(title: string, samples: readonly Sample[], marks: readonly Mark[] = []): string {
  const end = Math.max(1000, ...samples.map(({ at }) => at), ...marks.map(({ at }) => at));
  const most = niceCeiling(Math.max(1, ...samples.map(({ rate }) => rate)) * 8) / 8;
  const x = (at: number): number => round(LEFT + (at / end) * INNER_WIDTH);
  const y = (share: number): number => round(TOP + (1 - share) * INNER_HEIGHT);
  const bars = samples.map(({ at, loss }, i) => {
    const from = x(samples[i - 1]?.at ?? 0);
    const top = y(loss);
    return loss === 0
      ? ''
      : `<rect class="loss" x="${from}" y="${top}" width="${round(x(at) - from)}" height="${round(y(0) - top)}"/>`;
  });
  const line = samples.map(
    ({ at, rate }, i) => `${x((at + (samples[i - 1]?.at ?? 0)) / 2)},${y(rate / most)}`,
  );
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line class="grid" x1="${LEFT}" x2="${LEFT + INNER_WIDTH}" y1="${y(share)}" y2="${y(share)}"/>` +
      `<text x="${LEFT - 8}" y="${y(share) + 4}" text-anchor="end">${rateText(most * share)}</text>` +
      `<text class="right" x="${LEFT + INNER_WIDTH + 8}" y="${y(share) + 4}">${Math.round(share * 100)} %</text>`,
  );
  const step = niceCeiling(end / 1000 / 8);
  const seconds: string[] = [];
  for (let at = 0; at <= end / 1000; at += step)
    seconds.push(
      `<text x="${x(at * 1000)}" y="${TOP + INNER_HEIGHT + 18}" text-anchor="middle">${round(at)}</text>`,
    );
  const notes = marks.map(
    ({ at, text }, i) =>
      `<line class="mark" x1="${x(at)}" x2="${x(at)}" y1="${TOP}" y2="${TOP + INNER_HEIGHT}"/>` +
      `<text class="mark" x="${x(at) + 4}" y="${TOP + 12 + (i % 4) * 14}">${escaped(text)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<title>${escaped(title)}</title>
<style>
.grid { stroke: #ddd } .rate { fill: none; stroke: #1565c0; stroke-width: 2 } .loss { fill: #c62828; fill-opacity: 0.35 }
line.mark { stroke: #2e7d32; stroke-dasharray: 4 3 } text.mark { fill: #2e7d32 } .right { fill: #c62828 }
</style>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${LEFT}" y="24" font-size="15">${escaped(title)}</text>
${grid.join('\n')}
${bars.filter((bar) => bar !== '').join('\n')}
<polyline class="rate" points="${line.join(' ')}"/>
${notes.join('\n')}
${seconds.join('\n')}
<text x="${LEFT + INNER_WIDTH / 2}" y="${HEIGHT - 12}" text-anchor="middle">seconds</text>
<text class="right" x="${WIDTH - 8}" y="${TOP - 12}" text-anchor="end">loss</text>
<text x="${LEFT - 8}" y="${TOP - 12}" text-anchor="end">received</text>
</svg>
`;
}

/** The next of 1, 2, 5, 10, 20 ... */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * (1 - 1e-9)) ?? value;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
}
