import { beforeEach, test, vi } from 'vitest'
import { ADAPTER_VERSIONS } from './adapters.ts'
import { transferThroughFaults } from './transfers.ts'
import { judge } from './verdict.ts'

const SEED = 20_261_123

beforeEach(() => {
  // Knex prints each connection that failed.
  vi.spyOn(console, 'log').mockImplementation(() => {})
})

test('no money is lost in a minute and a half of faults, on the oldest and the latest drivers', {
  timeout: 400_000,
}, async () => {
  judge(await transferThroughFaults(ADAPTER_VERSIONS, { seed: SEED, rounds: 8 }), SEED)
})
