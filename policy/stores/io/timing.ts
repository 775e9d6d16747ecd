import type { Timing } from '../batcher.js';

export const EVENT_LOOP: Timing = {
  defer: (run) => void setImmediate(run),
  after: (milliseconds, run) => {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  },
};
