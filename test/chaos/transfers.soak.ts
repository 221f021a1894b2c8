import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ADAPTERS, ON_OLDEST } from './adapters.ts'
import { RATE } from './faults.ts'
import { transferThroughFailovers, transferThroughFaults } from './transfers.ts'
import { assertNoLoss } from './verdict.ts'

const SEEDS = [1, 2]

beforeEach(() => {
  // Knex prints each connection that failed.
  vi.spyOn(console, 'log').mockImplementation(() => {})
})

afterEach(() => vi.restoreAllMocks())

test.each([
  ['latest', ADAPTERS],
  ['oldest', ON_OLDEST],
])(
  'minutes of faults, on the %s drivers: no money is lost',
  { timeout: 400_000 },
  async (_which, adapters) => {
    for (const seed of SEEDS) assertNoLoss(await transferThroughFaults(adapters, { seed, rounds: 6 }), seed)
  },
)

test.each([...ADAPTERS, ...ON_OLDEST.slice(0, 1)])(
  '$name: no money is lost in 60 s in which servers vanish, pause, fail over, switch over and close sessions',
  { timeout: 180_000 },
  async (harness) => {
    const seed = 3
    const { reports, peakLogins, throttled, fired } = await transferThroughFailovers([harness], {
      seed,
      forMs: 60_000,
    })
    const faults = [...fired].map(([name, times]) => `${times} ${name}`).join(', ')
    process.stdout.write(`${harness.name}: ${faults}; at most ${peakLogins} logins in a second\n`)
    assertNoLoss(reports, seed)
    expect(throttled).toBe(0)
    expect(peakLogins).toBeLessThanOrEqual(RATE)
  },
)
