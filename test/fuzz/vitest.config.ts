import { join } from 'node:path';
import { defineConfig, mergeConfig } from 'vitest/config';
import usual from '../../vitest.config.ts';

const SCALED = join(import.meta.dirname, 'support', 'fast-check.ts');

/** `npm run fuzz`: the same tests with support/fast-check.ts in the place of fast-check, and without a limit on time. */
export default mergeConfig(
  usual,
  defineConfig({
    root: join(import.meta.dirname, '../..'),
    plugins: [
      {
        name: 'scaled-fast-check',
        enforce: 'pre',
        resolveId: (source: string, importer: string | undefined) =>
          source === 'fast-check' && importer !== undefined && importer !== SCALED ? SCALED : undefined,
      },
    ],
    test: { testTimeout: 0, hookTimeout: 120_000 },
  }),
);
