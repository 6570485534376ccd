import { describe, expect, it } from 'vitest';
import { runSoak } from './run-soak.ts';

describe('a soak', { timeout: 120_000 }, () => {
  it('keeps every load going while a client restarts, and looks at every life of every process', async () => {
    const events: string[] = [];
    const { verdicts, loads } = await runSoak({
      minutes: 0.4,
      sampleEveryMs: 500,
      restartClientEveryMs: 6_000,
      killLeaderEveryMs: 3_600_000,
      warmUpMs: 0,
      onEvent: (text) => events.push(text),
    });
    expect(loads.map(({ name, done }) => [name, done > 0])).toEqual(
      [
        'calls through sidecars',
        'writes of keys',
        'reads of keys',
        'sessions and locks',
        'registrations',
        'leaves and roots',
        'blocking queries',
      ].map((name) => [name, true]),
    );
    expect(loads.find(({ name }) => name === 'calls through sidecars')).toMatchObject({ failed: 0 });
    expect(events[0]).toBe('client-1 was ended by SIGTERM, and is back');
    const names = new Set(verdicts.map(({ life }) => life.replace(/ \(\d+\)$/, '')));
    expect([...names].toSorted()).toEqual([
      'client-1',
      'client-2',
      'server-1',
      'server-2',
      'server-3',
      'sidecar of echo',
      'sidecar of web',
    ]);
    expect(verdicts.filter(({ life }) => life.startsWith('client-1')).length).toBeGreaterThan(1);
    // The probe has told from inside.
    const [server] = verdicts.filter(({ life }) => life.startsWith('server'));
    expect(server?.trends.timers?.first).toBeGreaterThan(0);
    expect(server?.trends.heapMib?.first).toBeGreaterThan(5);
    expect(verdicts.filter(({ life, isTooShort }) => isTooShort && life.startsWith('server'))).toEqual([]);
  });
});
