import { beforeEach, test, vi } from 'vitest'
import { ADAPTERS } from './adapters.ts'
import { transferThroughFaults } from './transfers.ts'
import { judge } from './verdict.ts'

const SEED = 20_261_123

beforeEach(() => {
  // Knex prints each connection that failed.
  vi.spyOn(console, 'log').mockImplementation(() => {})
})

test('faults of every kind at once: no money is lost, and every pool is usable again within 5 seconds', {
  timeout: 180_000,
}, async () => {
  judge(await transferThroughFaults(ADAPTERS, { seed: SEED, rounds: 5 }), SEED)
})
