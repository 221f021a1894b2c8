import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { SlowFirst } from './test/slow-first.ts'

// The packages are tested from their sources: nothing has to be built first.
const resolve = { conditions: ['@aurora-iam/source', 'node'] }
const ssr = {
  resolve: { conditions: ['@aurora-iam/source', 'node'], externalConditions: ['@aurora-iam/source'] },
}

export const project = (name: string, ...include: string[]) => ({
  resolve,
  ssr,
  test: {
    name,
    include,
    setupFiles: [fileURLToPath(new URL('test/no-warnings.ts', import.meta.url))],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A spy on a global function, such as setTimeout, must not outlive a test that fails before it restores it.
    restoreMocks: true,
  },
})

export default defineConfig({
  test: {
    // One more than the smallest machine has cores: most tests wait for a server more than they compute.
    maxWorkers: 3,
    sequence: { sequencer: SlowFirst },
    projects: [
      project('rate-limit', 'packages/rate-limit/test/**/*.test.ts'),
      project('core', 'packages/core/test/**/*.test.ts'),
      project('mysql2', 'packages/mysql2/test/**/*.test.ts'),
      project('knex', 'packages/knex/test/**/*.test.ts'),
      project('typeorm', 'packages/typeorm/test/**/*.test.ts'),
      project('prisma', 'packages/prisma/test/**/*.test.ts'),
      project('wire', 'packages/wire/test/**/*.test.ts'),
      project('local', 'packages/local/test/**/*.test.ts'),
      project('cli', 'packages/cli/test/**/*.test.ts'),
      project('test', 'test/**/*.test.ts'),
    ],
  },
})
