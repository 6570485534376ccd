import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, run } from '../support/process.ts';
import { prepareImage } from './support/engine.ts';

const skipped = prepareImage() !== undefined;

describe.skipIf(skipped)('the README of testing', () => {
  it('has an example of containers that runs', { timeout: 150_000 }, async () => {
    const folder = join(ROOT, 'packages/testing');
    const [, input = ''] = /^## In containers$.*?^```ts\n(.*?)^```$/ms.exec(readFileSync(join(folder, 'README.md'), 'utf8')) ?? [];
    const args = ['--conditions=lictor-source', '--input-type=module-typescript', '--disable-warning=ExperimentalWarning'];
    expect(await run(process.execPath, args, { input, cwd: folder })).toMatchObject({ code: 0, stdout: 'hello\n' });
  });
});
