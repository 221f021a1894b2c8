import { getEventListeners } from 'node:events'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { expect, test } from 'vitest'
import { createRateLimiter, type Permit, type RateLimiter, type RateLimiterOptions } from '../src/index.ts'
import { SimulatedClock } from './simulated-clock.ts'

/** A place rests for the interval and a margin of 2 ms. */
const restMs = 1002

function limiterWith(options: Partial<RateLimiterOptions> = {}) {
  const clock = new SimulatedClock()
  return { clock, limiter: createRateLimiter({ limit: 2, clock, ...options }) }
}

/** Takes every place and settles it at once. */
async function exhaust(limiter: RateLimiter): Promise<void> {
  while (limiter.stats().available > 0) (await limiter.acquire()).release()
}

/** Remembers when each of several requests was granted. */
function observe(clock: SimulatedClock, requests: Promise<Permit>[]): (number | undefined)[] {
  const startedAt = clock.now()
  const grantedAfter: (number | undefined)[] = requests.map(() => undefined)
  for (const [index, request] of requests.entries()) {
    request.then(
      () => {
        grantedAfter[index] = clock.now() - startedAt
      },
      () => {},
    )
  }
  return grantedAfter
}

test('an idle limiter: its whole limit is granted at once', async () => {
  const { limiter, clock } = limiterWith({ limit: 20 })
  const permits = await Promise.all(Array.from({ length: 20 }, () => limiter.acquire()))
  expect(permits.map(({ waitedMs }) => waitedMs)).toEqual(Array(20).fill(0))
  expect(limiter.stats()).toMatchObject({ granted: 20, inFlight: 20, available: 0, waiting: 0 })
  expect(clock.timers).toEqual([])
})

test('a released permit: free again an interval after its release, not after its grant', async () => {
  const { limiter, clock } = limiterWith({ limit: 1 })
  const permit = await limiter.acquire()
  const next = limiter.acquire()
  const grants = observe(clock, [next])
  clock.after(700, () => permit.release())
  await clock.advance(700 + restMs - 1)
  expect(grants).toEqual([undefined])
  await clock.advance(1)
  expect(grants).toEqual([1702])
  expect((await next).waitedMs).toBe(1702)
  expect(limiter.stats().longestWaitMs).toBe(1702)
})

test('tryAcquire: a permit that is free, and undefined where a request would wait', async () => {
  const { limiter, clock } = limiterWith({ limit: 2 })
  const permit = limiter.tryAcquire?.()
  expect(permit).toMatchObject({ lane: 'live', waitedMs: 0, isLapsed: false })
  // The last permit is left to a live request.
  expect(limiter.tryAcquire?.({ lane: 'background' })).toBeUndefined()
  limiter.tryAcquire?.()?.release()
  expect(limiter.tryAcquire?.()).toBeUndefined()
  const waiting = limiter.acquire()
  permit?.cancel()
  expect(limiter.tryAcquire?.()).toBeUndefined()
  expect(limiter.stats()).toMatchObject({ granted: 3, inFlight: 1, waiting: 0 })
  ;(await waiting).release()
  await clock.advance(restMs)
  expect(() => limiter.tryAcquire?.({ signal: undefined } as object)).toThrow('`signal`')
  limiter.close()
  expect(limiter.tryAcquire?.()).toBeUndefined()
})

test('a cancelled permit: available again at once', async () => {
  const { limiter, clock } = limiterWith({ limit: 1 })
  const permit = await limiter.acquire()
  const grants = observe(clock, [limiter.acquire()])
  permit.cancel()
  await clock.advance(0)
  expect(grants).toEqual([0])
  expect(limiter.stats()).toMatchObject({ cancelled: 1, granted: 2 })
})

test('several calls of release and cancel: only the first counts', async () => {
  const { limiter } = limiterWith()
  const settled = await limiter.acquire()
  settled.release('failed')
  settled.release('throttled')
  settled.cancel()
  const cancelled = await limiter.acquire()
  cancelled.cancel()
  cancelled.cancel()
  cancelled.release()
  expect(limiter.stats()).toMatchObject({
    failed: 1,
    throttled: 0,
    cancelled: 1,
    succeeded: 0,
    inFlight: 0,
    available: 1,
  })
})

test('a permit that was never released: expires after its time', async () => {
  const { limiter, clock } = limiterWith({ limit: 1, permitTtlMs: 5000 })
  await limiter.acquire()
  const grants = observe(clock, [limiter.acquire()])
  await clock.advance(0)
  // One timer, for when it is free.
  expect(clock.timers).toEqual([clock.now() + 5000 + restMs])
  await clock.advance(10_000)
  expect(grants).toEqual([5000 + restMs])
  expect(limiter.stats().expired).toBe(1)
})

test('a release after the permit expired: the next use of the permit is not affected', async () => {
  const { limiter, clock } = limiterWith({ limit: 1, permitTtlMs: 5000 })
  const late = await limiter.acquire()
  await clock.advance(5000 + restMs)
  const next = await limiter.acquire()
  late.release()
  late.cancel()
  expect(limiter.stats()).toMatchObject({ inFlight: 1, available: 0, succeeded: 0, cancelled: 0 })
  await clock.advance(restMs)
  expect(limiter.stats()).toMatchObject({ inFlight: 1, available: 0 })
  next.release()
  await clock.advance(restMs)
  expect(limiter.stats()).toMatchObject({ inFlight: 0, available: 1 })
})

test('several requests: granted in the order they were made', async () => {
  const { limiter, clock } = limiterWith({ limit: 2 })
  const order: number[] = []
  const requests = Array.from({ length: 7 }, async (_, request) => {
    const permit = await limiter.acquire()
    order.push(request)
    permit.release()
  })
  await clock.advance(3 * restMs)
  await Promise.all(requests)
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6])
})

test('maxWaitMs or timeoutMs is over: the request times out, and the error has the length of the queue', async () => {
  const { limiter, clock } = limiterWith({ limit: 1, maxWaitMs: 300 })
  await exhaust(limiter)
  const patient = limiter.acquire({ timeoutMs: 500 })
  const usual = limiter.acquire()
  const ended = Promise.allSettled([patient, usual])
  await clock.advance(300)
  await expect(usual).rejects.toMatchObject({
    name: 'RateLimitError',
    code: 'ERR_RATE_LIMIT_TIMEOUT',
    retryable: true,
    retryAfterMs: 702 + restMs,
    message: expect.stringMatching(
      /within 300 ms\. Ahead when .* made: 1; waiting now: 1; limit: 1 per 1000 ms\./,
    ),
  })
  expect(limiter.stats()).toMatchObject({ timedOut: 1, waiting: 1 })
  await clock.advance(200)
  await ended
  expect(limiter.stats()).toMatchObject({ timedOut: 2, waiting: 0 })
  expect(clock.timers).toEqual([])
})

test('a permit that came free while the process was busy: it goes to the first in the queue, late or not', async () => {
  let lateness = 0
  const clock = new SimulatedClock(() => lateness)
  const limiter = createRateLimiter({ limit: 1, clock })
  await exhaust(limiter)
  lateness = 4000
  const request = limiter.acquire({ timeoutMs: 2000 })
  await clock.advance(6000)
  expect((await request).waitedMs).toBe(restMs + 4000)
})

test('a time-out while the server throttles: the error names it', async () => {
  const { limiter, clock } = limiterWith({ limit: 4 })
  const permits = await Promise.all([1, 2, 3, 4].map(() => limiter.acquire()))
  for (const permit of permits) permit.release('throttled')
  const request = limiter.acquire({ timeoutMs: 10 })
  const ended = Promise.allSettled([request])
  await clock.advance(10)
  await ended
  await expect(request).rejects.toThrow('limit: 4 per 1000 ms, 2 for now because the server throttles.')
})

test('more requests than maxQueue: refused at once, with the wait that they would have had', async () => {
  const { limiter } = limiterWith({ limit: 2, maxQueue: 5 })
  await exhaust(limiter)
  const waiting = Array.from({ length: 5 }, () => limiter.acquire())
  await expect(limiter.acquire()).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_QUEUE_FULL',
    retryable: true,
    retryAfterMs: 3 * restMs,
    message: expect.stringContaining('would have waited about 3006 ms'),
  })
  expect(limiter.stats()).toMatchObject({ refusedQueueFull: 1, waiting: 5 })
  limiter.close()
  await Promise.allSettled(waiting)
})

test('maxQueue 0: whatever cannot be granted at once is refused', async () => {
  const { limiter } = limiterWith({ limit: 1, maxQueue: 0 })
  await expect(limiter.acquire()).resolves.toBeDefined()
  await expect(limiter.acquire()).rejects.toMatchObject({ code: 'ERR_RATE_LIMIT_QUEUE_FULL' })
})

test('an aborted signal: the wait ends with its reason, and the permit goes to the next', async () => {
  const { limiter, clock } = limiterWith({ limit: 1 })
  await exhaust(limiter)
  const controller = new AbortController()
  const aborted = limiter.acquire({ signal: controller.signal })
  const next = limiter.acquire()
  const grants = observe(clock, [aborted, next])
  const reason = new Error('the pool was closed')
  controller.abort(reason)
  await expect(aborted).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_ABORTED',
    retryable: false,
    cause: reason,
  })
  await clock.advance(restMs)
  expect(grants).toEqual([undefined, restMs])
  expect(limiter.stats().aborted).toBe(1)
})

test('a signal that is aborted already: no permit is taken', async () => {
  const { limiter } = limiterWith()
  await expect(limiter.acquire({ signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_ABORTED',
  })
  expect(limiter.stats()).toMatchObject({ granted: 0, available: 2, aborted: 1 })
})

test('a signal aborted after the grant: the permit stays granted', async () => {
  const { limiter } = limiterWith()
  const controller = new AbortController()
  const request = limiter.acquire({ signal: controller.signal })
  controller.abort()
  await expect(request).resolves.toMatchObject({ waitedMs: 0 })
})

test('a signal shared by many requests: one listener, and none once they have ended', async () => {
  const { limiter } = limiterWith({ limit: 1 })
  await exhaust(limiter)
  const { signal, abort } = abortable()
  const requests = Array.from({ length: 50 }, () => limiter.acquire({ signal }))
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  abort()
  const results = await Promise.allSettled(requests)
  expect(results.every(({ status }) => status === 'rejected')).toBe(true)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  expect(limiter.stats()).toMatchObject({ waiting: 0, aborted: 50 })
})

test('a full queue behind attempts in flight: the estimate assumes that they end now', async () => {
  const { limiter } = limiterWith({ limit: 1, maxQueue: 1 })
  const permit = await limiter.acquire()
  const waiting = limiter.acquire()
  await expect(limiter.acquire()).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_QUEUE_FULL',
    retryAfterMs: 2 * restMs,
  })
  permit.cancel()
  await waiting
})

test('a signal of requests that were granted or timed out: no listener is left, and an abort ends nothing', async () => {
  const { limiter, clock } = limiterWith({ limit: 1 })
  await exhaust(limiter)
  const { signal, abort } = abortable()
  const granted = limiter.acquire({ signal })
  const late = rejectionOf(limiter.acquire({ signal, timeoutMs: 10 }))
  await clock.advance(restMs)
  ;(await granted).release()
  expect(await late).toMatchObject({ code: 'ERR_RATE_LIMIT_TIMEOUT' })
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  abort()
  expect(limiter.stats()).toMatchObject({ aborted: 0, timedOut: 1 })
})

test('close(): every wait ends, later requests are refused, permits in flight stay valid', async () => {
  const { limiter, clock } = limiterWith({ limit: 1 })
  const permit = await limiter.acquire()
  const requests = [limiter.acquire(), limiter.acquire()]
  limiter.close()
  limiter.close()
  for (const request of [...requests, limiter.acquire()]) {
    await expect(request).rejects.toMatchObject({ code: 'ERR_RATE_LIMIT_CLOSED', retryable: false })
  }
  expect(clock.timers).toEqual([])
  permit.release()
  expect(limiter.stats()).toMatchObject({ succeeded: 1, waiting: 0 })
})

test('lower(): a lower limit holds at once, a larger one changes nothing', async () => {
  const { limiter, clock } = limiterWith({ limit: 4 })
  await exhaust(limiter)
  limiter.lower(3)
  limiter.lower(10)
  expect(limiter.limit).toBe(3)
  const grants = observe(
    clock,
    [1, 2, 3, 4].map(() => limiter.acquire()),
  )
  await clock.advance(restMs)
  expect(grants).toEqual([restMs, restMs, restMs, undefined])
  expect(() => limiter.lower(0)).toThrow(expect.objectContaining({ option: 'limit' }))
  limiter.close()
})

test('a wrong timeoutMs or an unknown option of acquire: refused', async () => {
  const { limiter } = limiterWith()
  await expect(limiter.acquire({ timeoutMs: -1 })).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_INVALID_OPTION',
    option: 'timeoutMs',
  })
  await expect(limiter.acquire({ timeout: 5 } as object)).rejects.toMatchObject({ option: 'timeout' })
})

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}

test('a permit whose time is over: it covers no attempt, though nothing has ended it yet', async () => {
  const { limiter, clock } = limiterWith({ permitTtlMs: 5000 })
  const permit = await limiter.acquire()
  await clock.advance(4999)
  expect(permit.isLapsed).toBe(false)
  await clock.advance(1)
  expect(permit.isLapsed).toBe(true)
  permit.release()
  expect(limiter.stats()).toMatchObject({ expired: 1, succeeded: 0, inFlight: 0, available: 1 })
})

test('permits: each has an identifier that no other has', async () => {
  const { limiter } = limiterWith()
  const ids = [await limiter.acquire(), await limiter.acquire()].map(({ id }) => id)
  expect(new Set(ids).size).toBe(2)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-\d+$/)
})
