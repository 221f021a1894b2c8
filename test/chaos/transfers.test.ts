import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ADAPTERS } from './adapters.ts'
import { RATE } from './faults.ts'
import { transferThroughFailovers, transferThroughFaults } from './transfers.ts'
import { assertNoLoss } from './verdict.ts'

const SEED = 20_261_123

beforeEach(() => {
  // Knex prints each connection that failed.
  vi.spyOn(console, 'log').mockImplementation(() => {})
})

afterEach(() => vi.restoreAllMocks())

test('faults of every kind at once: no money is lost, and every pool is usable again within 5 seconds', {
  timeout: 180_000,
}, async () => {
  assertNoLoss(await transferThroughFaults(ADAPTERS, { seed: SEED, rounds: 3 }), SEED)
})

test('servers vanish, pause, fail over, switch over and close sessions: no money is lost, and no login is over the limit', {
  timeout: 120_000,
}, async () => {
  const { reports, peakLogins, throttled, fired } = await transferThroughFailovers(ADAPTERS, {
    seed: SEED,
    forMs: 5_000,
  })
  assertNoLoss(reports, SEED)
  expect([...fired.keys()].sort()).toEqual([
    'blackhole',
    'closeIdleSessions',
    'failover',
    'pause',
    'switchover',
  ])
  expect(throttled).toBe(0)
  expect(peakLogins).toBeLessThanOrEqual(RATE)
})
