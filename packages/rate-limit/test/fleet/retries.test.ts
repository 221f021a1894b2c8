import { afterEach, expect, test, vi } from 'vitest'
import { RoundTrip } from '../../src/fleet/round-trip.ts'
import { StoreBackoff } from '../../src/fleet/store-backoff.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Returns the delays after one failure, two failures and so on. */
function delaysOf(failures: number, delayMs: (backoff: StoreBackoff) => number): number[] {
  const backoff = new StoreBackoff()
  return Array.from({ length: failures }, () => {
    backoff.countFailure()
    return delayMs(backoff)
  })
}

test('a store that rejects: asked again further and further apart, from when it was found to fail', () => {
  const delays = delaysOf(6, (backoff) => {
    backoff.failAt(5000)
    return backoff.afterFailure() - 5000
  })
  expect(delays).toEqual([250, 500, 1000, 2000, 2000, 2000])
  expect(new StoreBackoff().afterFailure()).toBe(Number.NEGATIVE_INFINITY)
})

test('a store that does not reply: asked again further and further apart, more rarely before its first reply', () => {
  const warm = delaysOf(4, (backoff) => backoff.afterNoReply(7000, false) - 7000)
  expect(warm).toEqual([2000, 4000, 4000, 4000])
  const cold = delaysOf(6, (backoff) => backoff.afterNoReply(7000, true) - 7000)
  expect(cold).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000])
  expect(new StoreBackoff().afterNoReply(7000, false)).toBe(9000)
})

test('jitter: between 0.8 and 1.2 of the delay, the same until the next request', () => {
  const backoff = new StoreBackoff()
  const random = vi.spyOn(Math, 'random')
  const delays = [0, 0.5, 0.75].map((drawn) => {
    random.mockReturnValue(drawn)
    backoff.drawJitter()
    return [backoff.afterNoReply(0, false), backoff.afterNoReply(0, false)]
  })
  expect(delays).toEqual([
    [1600, 1600],
    [2000, 2000],
    [2200, 2200],
  ])
})

test('a reply: the next failure counts as the first; a late reply is one failure', () => {
  const backoff = new StoreBackoff()
  expect(backoff.hasFailed).toBe(false)
  for (let failure = 0; failure < 3; failure++) backoff.countFailure()
  expect(backoff.hasFailed).toBe(true)
  backoff.restart(9000)
  expect([backoff.hasFailed, backoff.afterFailure()]).toEqual([true, 9250])
  backoff.reset()
  expect([backoff.hasFailed, backoff.afterFailure()]).toEqual([false, 9250])
})

test('a round trip: it grows at once, shrinks by a fifth, and is 2.5 s at most', () => {
  const roundTrip = new RoundTrip()
  const seen = [0.4, 100, 10, 60, 9000].map((ms) => {
    roundTrip.measure(ms)
    return roundTrip.ms
  })
  expect(seen).toEqual([1, 100, 80, 64, 2500])
})

test.each([
  [0, 500, 1000],
  [83, 500, 1166],
  [84, 1000, 1168],
  [480, 2000, 1960],
  [2500, 8000, 6000],
])(
  'a store %d ms away: leases of %d ms, and a request is unanswered after %d ms',
  (ms, leaseMs, patienceMs) => {
    const roundTrip = new RoundTrip()
    roundTrip.measure(ms)
    expect([roundTrip.leaseMs, roundTrip.patienceMs]).toEqual([leaseMs, patienceMs])
  },
)
