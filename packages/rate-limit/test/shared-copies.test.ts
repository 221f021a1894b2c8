import { expect, test, vi } from 'vitest'
import { sharedRateLimiter } from '../src/index.ts'
import { SimulatedClock } from './simulated-clock.ts'

test('two copies of the package: they share', async () => {
  const clock = new SimulatedClock()
  const ours = sharedRateLimiter('copies', { limit: 1, clock })
  vi.resetModules()
  const copy = await import('../src/index.ts')
  expect(copy.sharedRateLimiter).not.toBe(sharedRateLimiter)
  const theirs = copy.sharedRateLimiter('copies', { limit: 1, clock })
  await theirs.acquire()
  expect(ours.stats()).toMatchObject({ inFlight: 1, available: 0 })
})
