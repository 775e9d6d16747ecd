import type { Advert } from './advert.js';
import type { Timed } from './heap.js';
import type { Summary } from './summary.js';

/** What is known of an advert besides itself. There may be 100,000 of these, so they hold little. */
export class Told implements Timed {
  /** When its next whole message is due; in a summary, which has a timer of its own, when it was refreshed last. */
  due = 0;
  slot = -1;
  /** Message_Identifier of its present form, as a signed number; 0: it was never sent with one. */
  id = 0;
  /** The summary that refreshes it, and its neighbours in there. */
  summary: Summary | undefined = undefined;
  previous: Told | undefined = undefined;
  next: Told | undefined = undefined;
  /** Refreshes by number since the last whole message. */
  rounds = 0;
  /** An Srefresh named it, and no NACK has answered that yet: so each is heeded once. */
  isNamed = false;

  constructor(readonly advert: Advert) {}
}
