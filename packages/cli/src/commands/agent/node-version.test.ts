import { afterEach, describe, expect, it } from 'vitest';
import { run } from '../../testing/run.ts';
import { nodeVersionProblem } from './node-version.ts';

describe('the Node that runs the agent (CVE-2026-48618, CVE-2026-48928, CVE-2026-48930, CVE-2026-48934, CVE-2026-48931, CVE-2026-48937)', () => {
  it.each(['v24.17.0', 'v24.18.1', 'v26.10.0'])('%s is good', (version) => {
    expect(nodeVersionProblem(version)).toBeUndefined();
  });

  it.each(['v20.20.0', 'v24.16.9', 'v22.23.0'])('%s is refused', (version) => {
    expect(nodeVersionProblem(version)).toContain(`Lictor needs Node 24.17.0 or later, this is ${version}`);
  });

  const { version } = process;
  afterEach(() => void Object.defineProperty(process, 'version', { value: version }));

  it('is asked before anything is opened', async () => {
    Object.defineProperty(process, 'version', { value: 'v22.23.0' });
    const { exitCode, stderr } = await run('agent -dev');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('this is v22.23.0')]);
  });
});
