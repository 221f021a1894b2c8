import { afterEach, expect, test, vi } from 'vitest'
import { fleetStore, type RateLimiter } from '../../src/index.ts'
import { completeOptions } from '../../src/options.ts'
import { startRedis } from '../redis.ts'
import { VirtualFleet } from '../virtual-fleet.ts'

const redis = await startRedis()

afterEach(() => {
  vi.restoreAllMocks()
})

function logInAll(fleet: VirtualFleet, limiters: readonly RateLimiter[], each: number) {
  return Promise.all(limiters.flatMap((limiter) => Array.from({ length: each }, () => fleet.logIn(limiter))))
}

/** Lets each limiter meet the store, so that a new key is no longer quiet. */
async function warmUp(fleet: VirtualFleet, limiters: readonly RateLimiter[]): Promise<void> {
  await fleet.run(logInAll(fleet, limiters, 1))
  fleet.counted.length = 0
}

test('a process that aborts its wait: it leaves the queue at once, and the next takes its permit', async () => {
  const fleet = new VirtualFleet(redis, { limit: 1, intervalMs: 1000 })
  const [holder, first, second] = [fleet.member(), fleet.member(), fleet.member()]
  await warmUp(fleet, [holder])
  const controller = new AbortController()
  const waits = [fleet.logIn(first, { signal: controller.signal }), fleet.logIn(second)]
  fleet.clock.after(300, () => controller.abort())
  const [aborted, waitedMs] = await fleet.run(Promise.all(waits))
  expect(aborted).toBe('ERR_RATE_LIMIT_ABORTED')
  expect(waitedMs).toBeLessThan(1300)
})

test.each([true, false])(
  'a function frozen after its login, with flush() %s: its permit is free an interval later, or after its lease',
  async (isFlushed) => {
    const fleet = new VirtualFleet(redis, { limit: 2, intervalMs: 1000 })
    const [frozen, other] = [fleet.member(), fleet.member()]
    await warmUp(fleet, [other])
    await fleet.clock.advance(2000)
    // One permit stays in flight: an outcome that is not the last one waits for others.
    const [permit] = await Promise.all([frozen.acquire(), frozen.acquire(), fleet.clock.advance(1500)])
    permit.release()
    if (isFlushed) await Promise.all([frozen.flush(), fleet.clock.advance(50)])
    fleet.freeze(frozen)
    const waitedMs = await fleet.run(fleet.logIn(other))
    if (isFlushed) expect(waitedMs).toBeLessThan(1100)
    // Half a second of lease, a second for its last packet, and the interval.
    else expect(waitedMs).toBeGreaterThan(2000)
    expect(fleet.most).toBeLessThanOrEqual(2)
  },
)

test('an interval of a minute: the default maxWaitMs is longer, and the first request of a new key gets its permit', async () => {
  const store = fleetStore({ step: async () => [] })
  expect(completeOptions({ limit: 1, intervalMs: 60_000, store }).maxWaitMs).toBe(125_000)
  expect(completeOptions({ limit: 1, intervalMs: 60_000 }).maxWaitMs).toBe(30_000)
  const fleet = new VirtualFleet(redis, { limit: 1, intervalMs: 60_000 })
  const { maxWaitMs } = completeOptions({ limit: 1, intervalMs: 60_000, store })
  const waitedMs = await fleet.run(fleet.logIn(fleet.member(1, { maxWaitMs })))
  expect(waitedMs).toBeGreaterThan(60_000)
  expect(waitedMs).toBeLessThan(63_000)
})

test('7 processes, a limit of 3 and Redis lost: those that were promised a permit use it, the others wait, never over', async () => {
  const fleet = new VirtualFleet(redis, { limit: 3, intervalMs: 1000 })
  const members = Array.from({ length: 7 }, () => fleet.member())
  await warmUp(fleet, members)
  await fleet.clock.advance(5000)
  const shares = members.map((member) => member.stats().share)
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(3)
  expect(Math.max(...shares)).toBe(1)
  fleet.isStoreLost = true
  const logins = logInAll(fleet, members, 3)
  await fleet.clock.advance(12_000)
  const alone = fleet.counted.length
  expect(alone).toBeGreaterThanOrEqual(9)
  fleet.isStoreLost = false
  await fleet.run(logins)
  expect(fleet.counted).toHaveLength(21)
  expect(fleet.most).toBeLessThanOrEqual(3)
})

test.each([440, 700, 1000, 2000])(
  'a round trip of %i ms to Redis: every request ends with a permit, never over, and the store is not lost',
  async (roundTripMs) => {
    const fleet = new VirtualFleet(redis, { limit: 5, intervalMs: 1000 })
    const members = Array.from({ length: 3 }, () => fleet.member(roundTripMs / 2))
    const results = await fleet.run(logInAll(fleet, members, 5))
    expect(results.every((result) => typeof result === 'number')).toBe(true)
    expect(fleet.most).toBeLessThanOrEqual(5)
    for (const member of members) expect(member.stats().storeLost).toBe(false)
  },
)

test('one process 480 ms away among near ones: they are as fast as without it', async () => {
  const fleet = new VirtualFleet(redis, { limit: 5, intervalMs: 1000 })
  const near = Array.from({ length: 3 }, () => fleet.member())
  const far = fleet.member(240)
  await warmUp(fleet, [...near, far])
  const startedAt = fleet.clock.now()
  const logins = Promise.all([logInAll(fleet, near, 15), logInAll(fleet, [far], 5)])
  await fleet.run(logins)
  // 50 logins at 5 a second.
  expect(fleet.clock.now() - startedAt).toBeLessThan(14_000)
  expect(fleet.most).toBeLessThanOrEqual(5)
})

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
  'structure %i of the key evicted while processes hold and wait: never over, and every login ends',
  async (structure) => {
    const fleet = new VirtualFleet(redis, { limit: 3, intervalMs: 250 })
    const members = Array.from({ length: 4 }, () => fleet.member())
    for (const afterMs of [2300, 2900, 6000]) fleet.clock.after(afterMs, () => fleet.evict(structure))
    const results = await fleet.run(logInAll(fleet, members, 12))
    expect(results.every((result) => typeof result === 'number')).toBe(true)
    expect(fleet.most).toBeLessThanOrEqual(3)
  },
)

test('a store that replies to a process twice with the same: never over, and every login ends', async () => {
  const fleet = new VirtualFleet(redis, { limit: 3, intervalMs: 250 })
  const members = Array.from({ length: 3 }, () => fleet.member())
  const last: unknown[] = []
  let replies = 0
  fleet.onReply = (reply, member) => {
    replies += 1
    const earlier = last[member]
    last[member] = reply
    return earlier !== undefined && (replies === 12 || replies === 25) ? earlier : reply
  }
  const results = await fleet.run(logInAll(fleet, members, 8))
  expect(results.every((result) => typeof result === 'number')).toBe(true)
  expect(fleet.most).toBeLessThanOrEqual(3)
})

test('background requests of one process, live ones of another: a live one waits for one permit at most', async () => {
  const fleet = new VirtualFleet(redis, { limit: 3, intervalMs: 1000 })
  const [pool, caller] = [fleet.member(), fleet.member()]
  await warmUp(fleet, [pool, caller])
  const background = Promise.all(Array.from({ length: 30 }, () => fleet.logIn(pool, { lane: 'background' })))
  await fleet.clock.advance(3500)
  const waits: (number | string)[] = []
  for (let count = 0; count < 5; count++) {
    const login = fleet.logIn(caller).then((waitedMs) => waits.push(waitedMs))
    await fleet.clock.advance(2100)
    await login
  }
  // A permit that background holds is free within a login and an interval.
  for (const waitedMs of waits) expect(waitedMs).toBeLessThan(1300)
  const ended = await fleet.run(background)
  expect(ended.every((result) => typeof result === 'number')).toBe(true)
  expect(fleet.most).toBeLessThanOrEqual(3)
})
