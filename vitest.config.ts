import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['lictor-source'] },
  ssr: { resolve: { conditions: ['lictor-source', 'node', 'import', 'default'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    restoreMocks: true,
  },
});
