import { beforeEach, test, vi } from 'vitest'
import { ADAPTERS, ON_OLDEST } from './adapters.ts'
import { transferThroughFaults } from './transfers.ts'
import { judge } from './verdict.ts'

const SEEDS = [1, 2]

beforeEach(() => {
  // Knex prints each connection that failed.
  vi.spyOn(console, 'log').mockImplementation(() => {})
})

test.each([
  ['latest', ADAPTERS],
  ['oldest', ON_OLDEST],
])(
  'minutes of faults, on the %s drivers: no money is lost',
  { timeout: 400_000 },
  async (_which, adapters) => {
    for (const seed of SEEDS) judge(await transferThroughFaults(adapters, { seed, rounds: 6 }), seed)
  },
)
