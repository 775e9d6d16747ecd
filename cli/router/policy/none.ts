import { GRANTED } from './module.js';
import type { PolicyModule } from './module.js';

/** No policy control: whatever capacity allows is granted. */
export function noPolicy(): PolicyModule {
  return {
    ask: () => GRANTED,
    report: () => undefined,
    forget: () => undefined,
    close: () => Promise.resolve(),
    status: () => ({ module: 'none', state: 'everything is granted', isReady: true }),
  };
}
