import { recordEvents } from '@aurora-iam/test-support/record-events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRateLimiter, type Permit, type RateLimiter, type RateLimiterOptions } from '../../src/index.ts'
import { roundTripMs, ScriptedStore } from '../scripted-store.ts'
import { SimulatedClock } from '../simulated-clock.ts'

const intervalMs = 250
/** From the first loss: when a request shows how long the store is silent, and when the share may be used. */
const proofMs = 2500 + roundTripMs
const openMs = 2500 + 1000 + 2 * roundTripMs

let clock: SimulatedClock
let store: ScriptedStore

beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  clock = new SimulatedClock()
  clock.driveWallClock()
  store = new ScriptedStore(clock)
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** Returns a limiter to which the store has promised a share, and which waits for nothing. */
async function limiterWithShare(
  share: number,
  options: Partial<RateLimiterOptions> = {},
): Promise<RateLimiter> {
  const limiter = createRateLimiter({ limit: 20, intervalMs, clock, store, maxWaitMs: 600_000, ...options })
  const request = limiter.acquire()
  await store.answer({ share }, [[1, 0]])
  ;(await request).release()
  await store.answer({ share })
  return limiter
}

/** Makes so many requests, and returns the list of those that are granted so far. */
function requestAll(limiter: RateLimiter, count: number): Permit[] {
  const permits: Permit[] = []
  for (let request = 0; request < count; request++) {
    limiter.acquire().then(
      (permit) => permits.push(permit),
      () => {},
    )
  }
  return permits
}

test('a store that is lost: the share is used once every other process has noticed, and not before', async () => {
  const limiter = await limiterWithShare(2)
  const permits = requestAll(limiter, 3)
  expect(await store.failFor(openMs - 1)).toEqual([0, 270, 790, 1810, proofMs])
  expect(permits).toHaveLength(0)
  await clock.advance(1)
  expect(permits).toHaveLength(2)
  expect(limiter.stats()).toMatchObject({
    inFlight: 2,
    waiting: 1,
    effectiveLimit: 2,
    share: 2,
    storeLost: true,
  })
  expect(permits.map(({ isLapsed }) => isLapsed)).toEqual([false, false])

  permits[0]!.release()
  expect(await store.failFor(intervalMs + 1)).toEqual([])
  expect(permits).toHaveLength(2)
  await clock.advance(1)
  expect(permits).toHaveLength(3)
  // One that was not used is free at once.
  const more = requestAll(limiter, 1)
  permits[2]!.cancel()
  await clock.advance(0)
  expect(more).toHaveLength(1)
  limiter.close()
})

test.each([
  [500, 20 + 500 + 1000 + 5000 + 3],
  [8000, 20 + 8000 + 1000 + 5000 + 3],
])(
  'an interval of 5 s and leases of %d ms in the fleet: the share is used %d ms after the loss',
  async (slowestLeaseMs, expected) => {
    const limiter = createRateLimiter({ limit: 20, intervalMs: 5000, clock, store, maxWaitMs: 600_000 })
    requestAll(limiter, 1)
    await store.answer({ share: 1, slowestLeaseMs, retryMs: 100 })
    await clock.advance(100 - roundTripMs)
    const lostAt = clock.now()
    while (limiter.stats().granted === 0) await store.failFor(1)
    // A request may be under way at that moment.
    expect(clock.now() - lostAt).toBeGreaterThanOrEqual(expected)
    expect(clock.now() - lostAt).toBeLessThanOrEqual(expected + roundTripMs)
    limiter.close()
  },
)

test('a request to the store is under way in degraded mode: nothing is granted until it fails or is overdue', async () => {
  const limiter = await limiterWithShare(2)
  requestAll(limiter, 1)
  await store.failFor(openMs)
  expect(limiter.stats()).toMatchObject({ inFlight: 1, available: 1 })
  const before = store.requests.length
  while (store.requests.length === before) await clock.advance(1)
  const late = requestAll(limiter, 1)
  await clock.advance(0)
  expect([late.length, limiter.stats().inFlight]).toEqual([0, 1])
  await store.fail()
  expect(late).toHaveLength(1)
  limiter.close()
})

test('attempts without the store: reported when it is back, and those in flight get a permit', async () => {
  const back = recordEvents('aurora-iam:rate-limit:store-back')
  const limiter = await limiterWithShare(3)
  const lostAt = clock.now()
  const permits = requestAll(limiter, 3)
  await store.failFor(openMs + 1)
  permits[0]!.release()
  while (store.requests.at(-1)!.adopt === 0) await clock.advance(1)
  expect(store.last).toMatchObject({
    adopt: 2,
    others: [clock.now() - lostAt - openMs - 1],
    settled: [],
    share: 3,
    want: [0, 0],
  })
  // One of them ends while the request is under way.
  permits[1]!.release()
  await store.answer({ share: 3, firstAdopted: 500 }, [[501, 0]])
  expect(back).toEqual([{ key: undefined, lostForMs: clock.now() - lostAt }])
  expect(limiter.stats()).toMatchObject({ storeLost: false, inFlight: 1 })
  // Of the outage nothing is left that could cover an attempt.
  expect(permits[0]!.isLapsed).toBe(true)
  expect(store.last).toMatchObject({ adopt: 0, others: [roundTripMs], cancelled: [500], settled: [] })
  await store.answer({ share: 3 }, [[501, 0]])
  expect(permits[2]!.isLapsed).toBe(false)
  permits[2]!.release('throttled')
  await clock.advance(0)
  expect(store.last).toMatchObject({ settled: [[501, 0, 1]], others: [] })
  await store.answer({ share: 3 })
  expect(await store.sentWithin(100_000)).toBe(0)
})

test('a silent store: the share is used when a request that proves it has no reply, and a late reply ends nothing yet', async () => {
  const limiter = await limiterWithShare(3)
  const before = store.requests.length
  const permits = requestAll(limiter, 2)
  await clock.advance(proofMs - 1)
  expect(store.requests.length - before).toBe(1)
  await clock.advance(1)
  expect(store.requests.length - before).toBe(2)
  await clock.advance(1000 + 2 * roundTripMs - 1)
  expect(permits).toHaveLength(0)
  await clock.advance(1)
  expect(permits).toHaveLength(2)

  // The store wrote this reply before the attempts were made.
  store.takeOpen()
  store.reply({ share: 3 })
  await clock.advance(0)
  expect(limiter.stats()).toMatchObject({ storeLost: true, inFlight: 2, available: 0 })
  expect(store.last).toMatchObject({ adopt: 2, share: 3 })
  await store.answer({ share: 3, firstAdopted: 700 }, [
    [700, 0],
    [701, 0],
  ])
  expect(limiter.stats()).toMatchObject({ storeLost: false, inFlight: 2 })
  permits[1]!.release()
  await clock.advance(100)
  expect(store.last).toMatchObject({ settled: [[701, 100, 0]], others: [] })
  limiter.close()
})

test('an attempt that ended before the late reply that ends the outage: flush() waits until it is reported', async () => {
  const limiter = await limiterWithShare(1)
  const permits = requestAll(limiter, 1)
  await clock.advance(proofMs + 1000 + 2 * roundTripMs)
  permits[0]!.release()
  store.takeOpen()
  store.reply({ share: 1 })
  await clock.advance(0)
  expect(limiter.stats().storeLost).toBe(false)
  let isFlushed = false
  const flushed = limiter.flush().then(() => {
    isFlushed = true
  })
  await clock.advance(0)
  expect(isFlushed).toBe(false)
  expect(store.last.others).toEqual([0])
  await store.answer({ share: 1 })
  await flushed
})

test('a late reply in an outage: the next request comes 250 ms after it', async () => {
  const limiter = createRateLimiter({ limit: 20, intervalMs, clock, store, onStoreLost: 'fail-closed' })
  requestAll(limiter, 1)
  await store.answer({ retryMs: 100 })
  await clock.advance(100 - roundTripMs + 1000 + 2 * roundTripMs + 500)
  store.reply({ isLate: true })
  expect(await store.sentWithin(249)).toBe(0)
  expect(await store.sentWithin(1)).toBe(1)
  expect(limiter.stats().storeLost).toBe(true)
  limiter.close()
})

test('a late reply to an earlier request, while a later one is under way: nothing is granted until that one is overdue', async () => {
  const limiter = await limiterWithShare(2)
  const permits = requestAll(limiter, 1)
  await clock.advance(proofMs + 1000 + 2 * roundTripMs)
  expect(permits).toHaveLength(1)
  const before = store.requests.length
  while (store.requests.length === before) await clock.advance(1)
  const more = requestAll(limiter, 1)
  store.takeOpen()
  store.takeOpen().reply({ isLate: true })
  // The store counts as 2.5 s away by now.
  await clock.advance(1000 + 2 * 2500 - 1)
  expect(more).toHaveLength(0)
  await clock.advance(1)
  expect(more).toHaveLength(1)
  limiter.close()
})

test('attempts without the store: reported until they can count no more, and those that were not used never', async () => {
  const limiter = await limiterWithShare(3, { intervalMs: 2000 })
  const permits = requestAll(limiter, 2)
  await store.failFor(openMs + 1)
  permits[0]!.cancel()
  permits[1]!.release()
  const before = store.requests.length
  const sent = await store.failFor(10_000)
  // Two intervals, a lease and a second.
  const countsForMs = 2 * 2000 + 500 + 1000
  expect(sent.filter((ageMs) => ageMs > 2000 && ageMs < countsForMs)).not.toEqual([])
  expect(sent.filter((ageMs) => ageMs > countsForMs)).not.toEqual([])
  const reported = store.requests.slice(before).map(({ others }) => others)
  expect(reported).toEqual(sent.map((ageMs) => (ageMs < countsForMs ? [ageMs] : [])))
  limiter.close()
})

test('a process that leaves in degraded mode: the store is called until it knows of the attempts in flight', async () => {
  const limiter = await limiterWithShare(1)
  const permits = requestAll(limiter, 1)
  await store.failFor(openMs + 1)
  limiter.close()
  expect((await store.failFor(10_000)).length).toBeGreaterThan(2)
  permits[0]!.cancel()
  await store.failFor(3000)
  expect(await store.failFor(20_000)).toEqual([])
})

test('fail-open in a fleet where another process has a smaller limit: that limit holds', async () => {
  const limiter = createRateLimiter({ limit: 20, intervalMs, clock, store, onStoreLost: 'fail-open' })
  requestAll(limiter, 20)
  await store.answer({ limit: 5, retryMs: 100 })
  await store.failFor(200)
  expect(limiter.stats()).toMatchObject({ storeLost: true, effectiveLimit: 5, inFlight: 5 })
  limiter.close()
})

test('a frozen process: its permit without the store has lapsed when no request has failed lately', async () => {
  const limiter = await limiterWithShare(1)
  const permits = requestAll(limiter, 1)
  await store.failFor(openMs + 1)
  expect(permits[0]!.isLapsed).toBe(false)
  const failedAt = store.requests.length
  expect(failedAt).toBeGreaterThan(5)
  vi.mocked(Date.now).mockReturnValue(Date.now() + 60_000)
  expect(permits[0]!.isLapsed).toBe(true)
})

test('the share that the store is told: the promise, for 50 s, and longer while it is used', async () => {
  const limiter = await limiterWithShare(2)
  await clock.advance(50_001)
  requestAll(limiter, 1)
  await clock.advance(0)
  expect(store.last.share).toBe(0)
  await store.answer({ share: 2, retryMs: 100 })
  await store.failFor(60_000)
  expect(limiter.stats()).toMatchObject({ storeLost: true, granted: 2 })
  expect(store.last.share).toBe(2)
  limiter.close()
})

test('a share that is used: the store is called though nothing is wanted, until the process leaves', async () => {
  const limiter = await limiterWithShare(2)
  const permits = requestAll(limiter, 1)
  await store.failFor(openMs + 1)
  permits[0]!.release()
  expect((await store.failFor(10_000)).length).toBeGreaterThan(2)
  limiter.close()
  await store.failFor(100)
  expect(await store.failFor(20_000)).toEqual([])
})

test('a process that leaves while the reply that ends the outage is under way: the store hears that it leaves', async () => {
  const limiter = await limiterWithShare(2)
  requestAll(limiter, 1)
  await store.failFor(openMs + 1)
  const before = store.requests.length
  while (store.requests.length === before) await clock.advance(1)
  limiter.close()
  await store.answer({ share: 2 })
  expect(store.last).toMatchObject({ adopt: 0, bye: 1 })
  await store.answer({})
  expect(await store.sentWithin(20_000)).toBe(0)
})

test.each([
  ['share', 0],
  ['fail-open', 2],
] as const)(
  '%s with a promise of %d and nothing wanted: the store is not called while it is lost',
  async (onStoreLost, share) => {
    const limiter = await limiterWithShare(share, { onStoreLost })
    const controller = new AbortController()
    const ended = Promise.allSettled([limiter.acquire({ signal: controller.signal })])
    await clock.advance(0)
    controller.abort()
    await ended
    await store.failFor(100)
    expect(await store.failFor(20_000)).toEqual([])
    expect(limiter.stats().storeLost).toBe(true)
  },
)

test.each([
  ['never replies, and share', false, 'share', [0, 3000, 7000, 15_000]],
  // Each failure proves that the store is still lost.
  ['never replies, and fail-open', false, 'fail-open', [0, 3000, 7000, 11_000, 15_000, 19_000]],
  ['replies no more, and fail-closed', true, 'fail-closed', [80, 2080, 6080, 10_080, 14_080, 18_080]],
] as const)(
  'a store that %s: a client that keeps the requests gets few',
  async (_, isKnown, onStoreLost, expected) => {
    const options = { limit: 20, intervalMs, clock, store, maxWaitMs: 600_000, onStoreLost }
    const limiter = createRateLimiter(options)
    requestAll(limiter, 21)
    if (isKnown) await store.answer({ retryMs: 100 })
    const sent: number[] = []
    const startedAt = clock.now()
    await clock.advance(0)
    for (let seen = isKnown ? 1 : 0; clock.now() - startedAt < 20_000; await clock.advance(1)) {
      if (store.requests.length > seen) sent.push(clock.now() - startedAt)
      seen = store.requests.length
    }
    expect(sent).toEqual(expected)
    limiter.close()
  },
)
