import assert from 'node:assert/strict';
import { Batcher } from '../batcher.js';

describe('batcher', () => {
  it('does not begin one by one whoever was told meanwhile that there is no answer', async () => {
    const timers: (() => void)[] = [];
    const run: string[][] = [];
    const batcher = new Batcher<string, string>({
      run: (items) => {
        run.push([...items]);
        if (items.length === 1) return Promise.resolve(items);
        // It takes too long for the first of them, and then one of them cannot be done.
        timers[0]?.();
        return Promise.reject(new Error('poison'));
      },
      most: 10,
      concernsAll: () => false,
      patience: {
        timing: {
          defer: (todo) => void setImmediate(todo),
          after: (_milliseconds, todo) => {
            timers.push(todo);
            return () => undefined;
          },
        },
        timeout: 1,
        timedOut: () => new Error('late'),
      },
    });
    const results = await Promise.allSettled([batcher.add('slow'), batcher.add('other')]);
    assert.deepEqual(run, [['slow', 'other'], ['other']]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
    await batcher.drained();
  });
});
