import type { TimedEvent } from '../router/control/views.js';
import { oneLine } from '../replay/decision.js';
import type { Style } from '../terminal.js';

/** `12:00:00.123 resv-refused  10.0.0.1/udp/5004  ...`: one line, whatever a peer has put into it. */
export function eventLine(event: TimedEvent, paint: (style: Style, text: string) => string): string {
  const clock = new Date(event.at).toISOString().slice(11, 23);
  const session = event.session === undefined ? '' : `${paint('cyan', oneLine(event.session))}  `;
  return `${paint('dim', clock)} ${paint(styleOf(event.kind), event.kind.padEnd(WIDTH))}  ${session}${oneLine(event.text)}`;
}

const WIDTH = 16;

function styleOf(kind: string): Style {
  if (/err|refused|fail|lost|dropped|unauth|bad|malformed|expired|timeout/i.test(kind)) return 'red';
  if (/preempt|tear|blockade|release|warn/i.test(kind)) return 'yellow';
  return /reserv|confirm|grant/i.test(kind) ? 'green' : 'bold';
}
