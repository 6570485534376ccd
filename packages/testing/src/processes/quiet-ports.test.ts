import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { quietPorts } from './quiet-ports.ts';

describe('quiet ports', () => {
  it('are free, different, and none that an outgoing connection gets; what is taken is passed over', async () => {
    const [first = 0] = await quietPorts(1);
    const taken = createServer().listen(first);
    await once(taken, 'listening');
    const ports = await quietPorts(200);
    expect(new Set(ports).size).toBe(200);
    expect(ports).not.toContain(first);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(10_000);
    expect(Math.max(...ports)).toBeLessThan(32_768);
    taken.close();
  });
});
