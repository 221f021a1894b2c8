import { recordEvents } from '@aurora-iam/test-support/record-events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  createRateLimiter,
  type Permit,
  type RateLimiter,
  type RateLimiterOptions,
  sharedRateLimiter,
} from '../../src/index.ts'
import { lostError, roundTripMs, ScriptedStore } from '../scripted-store.ts'
import { SimulatedClock } from '../simulated-clock.ts'

const intervalMs = 250

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

function limiterOf(options: Partial<RateLimiterOptions> = {}): RateLimiter {
  return createRateLimiter({ limit: 20, intervalMs, clock, store, maxWaitMs: 600_000, ...options })
}

/** Acquires so many permits, which the store gives from number 1 on. */
async function permitsOf(
  limiter: RateLimiter,
  count: number,
  fields: Parameters<ScriptedStore['reply']>[0] = {},
): Promise<Permit[]> {
  const permits = Promise.all(Array.from({ length: count }, () => limiter.acquire()))
  await store.answer(
    fields,
    Array.from({ length: count }, (_, index) => [index + 1, 0] as const),
  )
  return permits
}

/** Ignores how a request ends. */
function start(request: Promise<Permit>): Promise<Permit> {
  request.catch(() => {})
  return request
}

test('requests that are made together: one request to the store, with the options of the process', async () => {
  const limiter = limiterOf({ intervalMs: 249.5, recoveryIntervalMs: 900.5 })
  for (const lane of ['live', 'background', 'live'] as const) void start(limiter.acquire({ lane }))
  expect(await store.sentWithin(10)).toBe(1)
  expect(store.requests).toEqual([
    {
      process: expect.stringMatching(/^[0-9a-f-]{36}$/),
      rtt: 0,
      lease: 500,
      limit: 20,
      interval: 250,
      recover: 901,
      want: [2, 1],
      turn: [0, 0],
      settled: [],
      cancelled: [],
      others: [],
      adopt: 0,
      share: 0,
      shares: true,
    },
  ])
  expect(store.keys).toEqual(['default'])
})

test('a process that waits on: the next request comes after retryMs, and tells what the last reply told', async () => {
  const limiter = limiterOf()
  void start(limiter.acquire())
  await store.answer({ retryMs: 300, turns: [5, 0], share: 3, born: 77, slowestLeaseMs: 1500 })
  expect(await store.sentWithin(300 - roundTripMs - 1)).toBe(0)
  expect(await store.sentWithin(1)).toBe(1)
  const [first, second] = store.requests
  expect(second).toMatchObject({
    process: first!.process,
    at: 1_000_000 + clock.now(),
    rtt: roundTripMs,
    lease: 500,
    want: [1, 0],
    turn: [5, 0],
    share: 3,
    born: 77,
    slowest: 1500,
  })
  expect(second).not.toHaveProperty('bye')
  expect(second).not.toHaveProperty('reset')
})

test('another request while the process waits in its lane: no further request; in another lane: at once', async () => {
  const limiter = limiterOf()
  void start(limiter.acquire())
  await store.answer({ turns: [5, 0] })
  void start(limiter.acquire())
  expect(await store.sentWithin(10)).toBe(0)
  void start(limiter.acquire({ lane: 'background' }))
  expect(await store.sentWithin(10)).toBe(1)
  expect(store.last.want).toEqual([2, 1])
})

test('fewer permits than requests: granted in order, and the rest is wanted on', async () => {
  const limiter = limiterOf()
  const [first, second, third] = [1, 2, 3].map(() => start(limiter.acquire()))
  await store.answer({ retryMs: 300 }, [
    [1, 0],
    [2, 100],
  ])
  expect(limiter.stats()).toMatchObject({ inFlight: 1, available: 1, waiting: 2 })
  expect(await first).toMatchObject({ waitedMs: roundTripMs })
  await clock.advance(99)
  expect(limiter.stats().inFlight).toBe(1)
  await clock.advance(1)
  expect(await second).toMatchObject({ waitedMs: roundTripMs + 100 })
  await clock.advance(200)
  expect(store.last.want).toEqual([1, 0])
  await store.answer({}, [
    [1, 0],
    [2, 0],
    [3, 0],
  ])
  expect(await third).toMatchObject({ lane: 'live' })
})

test('the end of an attempt: the last one is reported at once, others within 100 ms, with their ages', async () => {
  const throttled = recordEvents('aurora-iam:rate-limit:throttled')
  const limiter = limiterOf()
  const [one, two, three, four] = (await permitsOf(limiter, 4, { effectiveLimit: 10 })) as [
    Permit,
    Permit,
    Permit,
    Permit,
  ]
  one.release()
  expect(await store.sentWithin(40)).toBe(0)
  expect(throttled).toEqual([])
  two.release('throttled')
  expect(throttled).toEqual([{ key: undefined, effectiveLimit: 10 }])
  expect(await store.sentWithin(59)).toBe(0)
  expect(await store.sentWithin(1)).toBe(1)
  expect(store.last).toMatchObject({
    settled: [
      [1, 100, 0],
      [2, 60, 1],
    ],
    cancelled: [],
    want: [0, 0],
  })
  await store.answer({}, [
    [3, 0],
    [4, 0],
  ])
  three.cancel()
  expect(await store.sentWithin(0)).toBe(1)
  expect(store.last).toMatchObject({ settled: [], cancelled: [3] })
  await store.answer({}, [[4, 0]])
  four.release('failed')
  expect(await store.sentWithin(0)).toBe(1)
  expect(store.last).toMatchObject({ settled: [[4, 0, 0]] })
  await store.answer({})
  expect(await store.sentWithin(100_000)).toBe(0)
  expect(limiter.stats()).toMatchObject({ succeeded: 1, throttled: 1, cancelled: 1, failed: 1, inFlight: 0 })
})

test('permits that a process holds and may not use yet: it wants no others for the requests that wait for them', async () => {
  const limiter = limiterOf()
  for (const lane of ['live', 'live', 'live', 'background'] as const) void start(limiter.acquire({ lane }))
  await store.answer({ retryMs: 100 }, [[1, 400]])
  expect(await store.sentWithin(100)).toBe(1)
  expect(store.last.want).toEqual([2, 1])
})

test('a lost permit that stats() finds expired: reported at once', async () => {
  const limiter = limiterOf({ permitTtlMs: 150 })
  await permitsOf(limiter, 1)
  await clock.advance(150)
  expect(limiter.stats().expired).toBe(1)
  expect(await store.sentWithin(0)).toBe(1)
  expect(store.last).toMatchObject({ settled: [[1, 0, 0]] })
})

test.each([
  ['share', true],
  ['fail-closed', false],
  ['fail-open', false],
] as const)(
  '%s: the store is told whether the process goes on with a share: %s',
  async (onStoreLost, shares) => {
    void start(limiterOf({ onStoreLost }).acquire())
    await clock.advance(0)
    expect(store.last.shares).toBe(shares)
  },
)

test('a wait that ends while the store replies: the limit is the reason', async () => {
  const limiter = limiterOf({ maxWaitMs: 100 })
  const request = start(limiter.acquire())
  await store.answer({})
  await clock.advance(100)
  await expect(request).rejects.toMatchObject({ code: 'ERR_RATE_LIMIT_TIMEOUT' })
})

test('a report whose reply is lost: reported again', async () => {
  const limiter = limiterOf()
  const [permit] = await permitsOf(limiter, 1)
  permit!.release()
  await clock.advance(0)
  await store.fail()
  void start(limiter.acquire())
  await clock.advance(1000)
  expect(store.last).toMatchObject({ settled: [[1, roundTripMs + 250, 0]] })
})

test('a permit for which no request waits any more: it goes back at once', async () => {
  const limiter = limiterOf()
  const controller = new AbortController()
  const request = start(limiter.acquire({ signal: controller.signal }))
  await clock.advance(0)
  controller.abort()
  await expect(request).rejects.toMatchObject({ code: 'ERR_RATE_LIMIT_ABORTED' })
  await store.answer({}, [[1, 0]])
  expect(store.last).toMatchObject({ cancelled: [1], want: [0, 0] })
  expect(limiter.stats().available).toBe(0)
})

test('a request that ends while the process waits in the store’s queue: the store hears of it at once', async () => {
  const limiter = limiterOf()
  const controller = new AbortController()
  void start(limiter.acquire({ signal: controller.signal }))
  await store.answer({ turns: [5, 0] })
  controller.abort()
  expect(await store.sentWithin(0)).toBe(1)
  expect(store.last).toMatchObject({ want: [0, 0], turn: [5, 0] })
  await store.answer({})
  expect(await store.sentWithin(100_000)).toBe(0)
})

test('maxInFlight: no more permits are wanted than may be in flight, and the next when one has ended', async () => {
  const limiter = limiterOf({ maxInFlight: 2 })
  const requests = [1, 2, 3, 4].map((count) =>
    start(limiter.acquire({ lane: count === 3 ? 'background' : 'live' })),
  )
  await clock.advance(0)
  expect(store.last.want).toEqual([2, 0])
  await store.answer({}, [
    [1, 0],
    [2, 0],
  ])
  const first = await requests[0]!
  await clock.advance(100)
  expect(limiter.stats()).toMatchObject({ inFlight: 2, waiting: 2 })
  first.release()
  await clock.advance(0)
  expect(store.last).toMatchObject({ want: [1, 0] })
})

test('maxInFlight and a holder that is lost: the next is granted when its permit has expired', async () => {
  const limiter = limiterOf({ maxInFlight: 1, permitTtlMs: 5000 })
  await permitsOf(limiter, 1)
  const next = start(limiter.acquire())
  await clock.advance(5000 - 1)
  expect(store.last.want).toEqual([0, 0])
  while (store.last.want[0] === 0) await store.answer({}, [[1, 0]])
  expect(store.last).toMatchObject({ settled: [[1, 0, 0]] })
  await store.answer({}, [[2, 0]])
  expect(await next).toMatchObject({ lane: 'live' })
  expect(limiter.stats()).toMatchObject({ expired: 1, inFlight: 1 })
})

test('a permit in use: its lease is renewed halfway, and it has lapsed when the store has given it away', async () => {
  const limiter = limiterOf()
  const [permit] = await permitsOf(limiter, 1)
  // A lease of 500 ms begins when the request was sent, and ends 50 ms early.
  expect(await store.sentWithin(200 - roundTripMs - 1)).toBe(0)
  expect(await store.sentWithin(1)).toBe(1)
  await clock.advance(449 - 200)
  expect(permit!.isLapsed).toBe(false)
  await clock.advance(1)
  expect(permit!.isLapsed).toBe(true)
  store.reply({}, [[1, 0]])
  await clock.advance(0)
  expect(permit!.isLapsed).toBe(false)
  await store.answer({}, [])
  expect(permit!.isLapsed).toBe(true)
})

test('a store that has to hear of a process without demand: it calls after renewMs, until it leaves', async () => {
  const limiter = limiterOf()
  const [permit] = await permitsOf(limiter, 1, { renewMs: 5000 })
  permit!.release()
  await store.answer({ renewMs: 5000 })
  expect(await store.sentWithin(5000 - roundTripMs - 1)).toBe(0)
  expect(await store.sentWithin(1)).toBe(1)
  expect(store.last.want).toEqual([0, 0])
  expect(store.last).not.toHaveProperty('bye')
  await store.answer({ renewMs: 5000 })
  limiter.close()
  expect(await store.sentWithin(0)).toBe(1)
  expect(store.last).toMatchObject({ bye: 1, want: [0, 0] })
  await store.answer({ renewMs: 5000 })
  expect(await store.sentWithin(100_000)).toBe(0)
})

test('a process that never met the store: nothing is sent when it leaves', async () => {
  limiterOf().close()
  expect(await store.sentWithin(1000)).toBe(0)
})

test('a shared limiter that left and is wanted again: the store hears of it as before', async () => {
  const options = { limit: 20, intervalMs, clock, store }
  const first = sharedRateLimiter('again', options)
  const [permit] = await permitsOf(first, 1, { renewMs: 5000 })
  // One of two that is closed is no leaving.
  sharedRateLimiter('again', options).close()
  expect(await store.sentWithin(0)).toBe(0)
  first.close()
  permit!.release()
  await clock.advance(0)
  expect(store.last).toMatchObject({ bye: 1, settled: [[1, 0, 0]] })
  await store.answer({})
  sharedRateLimiter('again', options).close()
  expect(await store.sentWithin(100)).toBe(0)
  const second = sharedRateLimiter('again', options)
  void start(second.acquire())
  expect(await store.sentWithin(0)).toBe(1)
  expect(store.last).toMatchObject({ want: [1, 0] })
  expect(store.last).not.toHaveProperty('bye')
  expect(store.last.process).toBe(store.requests[0]!.process)
  expect(store.keys.every((key) => key === 'again')).toBe(true)
  await store.answer({ renewMs: 5000 })
  expect(await store.sentWithin(1000)).toBe(1)
  await store.answer({ renewMs: 5000, retryMs: 10_000 })
  expect(await store.sentWithin(5000)).toBe(1)
  second.close()
})

test('flush(): it resolves when the store has received what ended, and at once where nothing did', async () => {
  const limiter = limiterOf()
  await limiter.flush()
  const [one] = await permitsOf(limiter, 2)
  await limiter.flush()
  one!.release()
  let isFlushed = false
  const flushed = limiter.flush().then(() => {
    isFlushed = true
  })
  expect(await store.sentWithin(0)).toBe(1)
  expect(store.last).toMatchObject({ settled: [[1, 0, 0]] })
  expect(isFlushed).toBe(false)
  await store.answer({}, [[2, 0]])
  await flushed
})

test('flush() while other attempts end: it resolves with the reply to the first request that has the outcome', async () => {
  const limiter = limiterOf()
  const [one, two] = (await permitsOf(limiter, 3)) as [Permit, Permit]
  const flushed: string[] = []
  one.release()
  void limiter.flush().then(() => flushed.push('one'))
  expect(await store.sentWithin(0)).toBe(1)
  two.release()
  void limiter.flush().then(() => flushed.push('two'))
  await store.answer({}, [
    [2, 0],
    [3, 0],
  ])
  expect(flushed).toEqual(['one'])
  expect(store.last).toMatchObject({ settled: [[2, roundTripMs, 0]] })
  await store.answer({}, [[3, 0]])
  expect(flushed).toEqual(['one', 'two'])
})

test('flush() while the request that has the outcome is under way: it resolves with its reply, and no other is sent', async () => {
  const limiter = limiterOf()
  const [permit] = await permitsOf(limiter, 1)
  permit!.release()
  expect(await store.sentWithin(0)).toBe(1)
  const flushed = limiter.flush()
  await store.answer({})
  await flushed
  expect(store.requests).toHaveLength(2)
})

test('flush() while the store is lost: it resolves', async () => {
  const limiter = limiterOf()
  const [one, two] = await permitsOf(limiter, 2)
  one!.release()
  const flushed = limiter.flush()
  await store.fail()
  await flushed
  two!.release()
  await limiter.flush()
})

test('a late reply: nothing it lists is used, and the process asks again after retryMs', async () => {
  const limiter = limiterOf()
  void start(limiter.acquire())
  await store.answer({ isLate: true, retryMs: 400 }, [[1, 0]])
  expect(limiter.stats()).toMatchObject({ inFlight: 0, available: 0, waiting: 1, storeLost: false })
  expect(await store.sentWithin(400 - roundTripMs - 1)).toBe(0)
  expect(await store.sentWithin(1)).toBe(1)
})

test('a late reply: an outcome is reported at once after it', async () => {
  const limiter = limiterOf()
  const [permit] = await permitsOf(limiter, 1)
  void start(limiter.acquire())
  await store.answer({ isLate: true })
  permit!.release()
  expect(await store.sentWithin(0)).toBe(1)
  expect(store.last).toMatchObject({ settled: [[1, 0, 0]] })
})

test('a store whose clock jumps: nothing it grants is used, and it is told to let everything cool down', async () => {
  const limiter = limiterOf()
  const [permit] = await permitsOf(limiter, 1, { born: 77 })
  permit!.release()
  void start(limiter.acquire())
  await clock.advance(0)
  await store.answer({ born: 77, now: 1_000_000 + clock.now() + 60_000 }, [[2, 0]])
  expect(limiter.stats()).toMatchObject({ inFlight: 0, available: 0, waiting: 1 })
  expect(store.last).toMatchObject({ reset: 77, settled: [[1, roundTripMs, 0]] })
  await store.answer({ born: 77, now: 1_000_000 + clock.now() + 60_000 + roundTripMs }, [[3, 0]])
  expect(limiter.stats()).toMatchObject({ inFlight: 1, waiting: 0 })
  expect(await store.sentWithin(250)).toBe(1)
  expect(store.last).not.toHaveProperty('reset')
  expect(store.last.settled).toEqual([])
})

test('no reply: the store is lost after the patience for its distance, and back with the next reply', async () => {
  const events = recordEvents('aurora-iam:rate-limit:store-lost')
  const back = recordEvents('aurora-iam:rate-limit:store-back')
  const limiter = limiterOf()
  void start(limiter.acquire())
  await store.answer({ retryMs: 300, share: 4 })
  await clock.advance(300 - roundTripMs)
  const sentAt = clock.now()
  await clock.advance(1000 + 2 * roundTripMs - 1)
  expect(limiter.stats().storeLost).toBe(false)
  await clock.advance(1)
  expect(limiter.stats()).toMatchObject({ storeLost: true, effectiveLimit: 4, share: 4 })
  expect(events).toEqual([
    {
      key: undefined,
      error: expect.objectContaining({ message: 'It has not replied within 1040 ms.' }),
      onStoreLost: 'share',
      limit: 4,
    },
  ])
  store.reply({})
  await clock.advance(0)
  expect(limiter.stats().storeLost).toBe(false)
  expect(back).toEqual([{ key: undefined, lostForMs: clock.now() - sentAt }])
})

test('a request that is overdue and then rejected: one failure, so the next comes 250 ms later', async () => {
  const limiter = limiterOf()
  void start(limiter.acquire())
  await store.answer({ retryMs: 300 })
  await clock.advance(300 - roundTripMs + 1000 + 2 * roundTripMs)
  expect(limiter.stats().storeLost).toBe(true)
  await store.fail()
  expect(await store.sentWithin(249)).toBe(0)
  expect(await store.sentWithin(1)).toBe(1)
})

test('a reply that ends an outage: the later request without a reply begins no other', async () => {
  const limiter = limiterOf()
  void start(limiter.acquire())
  await store.answer({ retryMs: 300 })
  while (store.requests.length < 3) await clock.advance(100)
  store.reply({ retryMs: 600_000 })
  void start(limiter.acquire({ lane: 'background' }))
  expect(await store.sentWithin(10)).toBe(0)
  // The store counts as 2.5 s away by now: a request is overdue after 6 s.
  await clock.advance(8000)
  expect(limiter.stats().storeLost).toBe(false)
})

test('an earlier request that fails while a later one is under way: no other is sent before that one is overdue', async () => {
  const limiter = limiterOf()
  void start(limiter.acquire())
  await store.answer({ retryMs: 300 })
  while (store.requests.length < 3) await clock.advance(100)
  await store.fail()
  expect(await store.sentWithin(900)).toBe(0)
})

test('a timer that fires early: a request is not overdue before its time', async () => {
  clock = new SimulatedClock(() => -0.75)
  clock.driveWallClock()
  store = new ScriptedStore(clock)
  const limiter = limiterOf()
  void start(limiter.acquire())
  await clock.advance(2999.5)
  expect(limiter.stats().storeLost).toBe(false)
  await clock.advance(0.5)
  expect(limiter.stats().storeLost).toBe(true)
})

test('a request that is aborted in the tick in which it is made: the store does not hear of it', async () => {
  const limiter = limiterOf()
  const controller = new AbortController()
  void start(limiter.acquire({ signal: controller.signal }))
  controller.abort()
  expect(await store.sentWithin(1000)).toBe(0)
})

test('a store that never replied: it has 3 s for the first reply', async () => {
  const limiter = limiterOf()
  void start(limiter.acquire())
  await clock.advance(2999)
  expect(limiter.stats().storeLost).toBe(false)
  await clock.advance(1)
  expect(limiter.stats().storeLost).toBe(true)
})

test('replies in the wrong order: an older one changes nothing, nor does the failure of an older request', async () => {
  for (const older of ['reply', 'failure']) {
    store = new ScriptedStore(clock)
    const limiter = limiterOf()
    void start(limiter.acquire())
    await store.answer({ retryMs: 300 })
    await clock.advance(300)
    // The request after one without a reply.
    while (store.requests.length < 3) await clock.advance(100)
    const second = store.takeOpen()
    await store.answer({ retryMs: 10_000 })
    expect(limiter.stats()).toMatchObject({ storeLost: false, waiting: 1 })
    if (older === 'reply') second.reply({}, [[9, 0]])
    else second.fail(lostError)
    expect(await store.sentWithin(0)).toBe(0)
    expect(limiter.stats()).toMatchObject({ storeLost: false, available: 0, inFlight: 0, waiting: 1 })
    limiter.close()
  }
})

test('limits of others: the smallest holds, and an event reports when it gets smaller', async () => {
  const lowered = recordEvents('aurora-iam:rate-limit:lowered')
  const limiter = limiterOf()
  void start(limiter.acquire())
  for (const limit of [50, 20, 5, 5, 8]) {
    await store.answer({ limit, retryMs: roundTripMs })
    expect(limiter.stats()).toMatchObject({ limit: Math.min(20, limit), effectiveLimit: Math.min(20, limit) })
  }
  expect(lowered).toEqual([
    { key: undefined, from: 50, to: 20 },
    { key: undefined, from: 20, to: 5 },
  ])
  limiter.lower(3)
  limiter.lower(3)
  limiter.lower(4)
  expect(limiter.stats()).toMatchObject({ limit: 3, effectiveLimit: 3 })
  expect(lowered.slice(2)).toEqual([{ key: undefined, from: 20, to: 3 }])
  await store.answer({ limit: 8, retryMs: roundTripMs })
  expect(store.last.limit).toBe(3)
})

test('stats(): what the store last told', async () => {
  const limiter = limiterOf({ share: { processes: 4 } })
  expect(limiter.stats()).toMatchObject({
    processes: 4,
    fleetInUse: 0,
    fleetWaiting: 0,
    share: 0,
    storeLost: false,
  })
  void start(limiter.acquire())
  await store.answer({ limit: 16, effectiveLimit: 7, processes: 9, inUse: 3, waiting: 2, share: 5 })
  expect(limiter.stats()).toMatchObject({
    limit: 16,
    effectiveLimit: 7,
    processes: 9,
    fleetInUse: 3,
    fleetWaiting: 2,
    share: 5,
    dryRunDelayed: 0,
  })
  expect(limiterOf().stats().processes).toBe(1)
})

test('a full queue: the estimate counts the requests here and the processes that wait', async () => {
  const limiter = limiterOf({ limit: 4, maxQueue: 3 })
  for (let count = 0; count < 3; count++) void start(limiter.acquire())
  const retryAfterMs = async () =>
    limiter.acquire().then(
      () => undefined,
      (error: { retryAfterMs: number }) => error.retryAfterMs,
    )
  expect(await retryAfterMs()).toBe(2 * intervalMs)
  await store.answer({ limit: 4, waiting: 6 })
  expect(await retryAfterMs()).toBe(3 * intervalMs)
})

test('a shared key that is closed: it is forgotten when two intervals have passed since its last attempt', async () => {
  const options = { limit: 20, intervalMs, clock, store }
  const first = sharedRateLimiter('fleet', options)
  const [permit] = await permitsOf(first, 1)
  first.close()
  const grantedBefore = () => {
    const again = sharedRateLimiter('fleet', options)
    const { granted } = again.stats()
    again.close()
    return granted
  }
  await clock.advance(10 * intervalMs)
  expect(grantedBefore()).toBe(1)
  permit!.release()
  await clock.advance(2 * intervalMs)
  expect(grantedBefore()).toBe(1)
  await clock.advance(1)
  expect(grantedBefore()).toBe(0)
})
