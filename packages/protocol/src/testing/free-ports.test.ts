import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePorts } from './free-ports.ts';

describe('free ports', () => {
  it('are different, and none that an outgoing connection gets; what is taken is passed over', async () => {
    const [first = 0] = await freePorts(1);
    const taken = createServer().listen(first + 1, '127.0.0.1');
    await once(taken, 'listening');
    const ports = [...(await freePorts(100)), ...(await freePorts(100))];
    expect(new Set([first, ...ports]).size).toBe(201);
    expect(ports).not.toContain(first + 1);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(10_000);
    expect(Math.max(...ports)).toBeLessThan(32_768);
    taken.close();
  });
});
