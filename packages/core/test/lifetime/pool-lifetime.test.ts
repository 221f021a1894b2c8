import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { PoolLifetime, type PoolLifetimeOptions } from '../../src/lifetime/pool-lifetime.ts'
import { isReadOnlyError } from '../../src/lifetime/read-only-error.ts'
import { RetirePace } from '../../src/lifetime/retire-pace.ts'

const MINUTE_MS = 60_000
const READ_ONLY = { errno: 1290, message: 'The MySQL server is running with the --read-only option' }

interface Fake {
  address: string | undefined
}

const limiter = { limit: 20, intervalMs: 1000, waiting: 0, processes: 1 }
const closed: Fake[] = []

function lifetimeOf(options: Partial<PoolLifetimeOptions<Fake>> = {}): PoolLifetime<Fake> {
  return new PoolLifetime({
    driver: { remoteAddress: ({ address }) => address, close: (connection) => closed.push(connection) },
    maxLifetimeMs: 30 * MINUTE_MS,
    retiresReadOnly: true,
    pace: new RetirePace(() => limiter as never),
    ...options,
  })
}

function open(lifetime: PoolLifetime<Fake>, count: number, address = '10.0.0.1'): Fake[] {
  const connections = Array.from({ length: count }, () => ({ address }))
  for (const connection of connections) lifetime.opened(connection)
  return connections
}

beforeEach(() => {
  vi.useFakeTimers()
  closed.length = 0
  limiter.waiting = 0
  limiter.processes = 1
})

afterEach(() => vi.useRealTimers())

test('maxLifetimeMs over, idle: closed within the jitter, not before', () => {
  const lifetime = lifetimeOf()
  for (const connection of open(lifetime, 50)) lifetime.released(connection)
  vi.advanceTimersByTime(27 * MINUTE_MS - 1)
  expect(closed).toHaveLength(0)
  vi.advanceTimersByTime(3 * MINUTE_MS + 25_000)
  expect(closed).toHaveLength(50)
  expect(lifetime.stats()).toEqual({
    open: 0,
    retiring: 0,
    generation: 0,
    retired: { lifetime: 50, moved: 0, 'read-only': 0, dead: 0 },
    replaced: 0,
  })
})

test('maxLifetimeMs over, in use: closed after it returned', () => {
  const lifetime = lifetimeOf()
  const [connection] = open(lifetime, 1)
  vi.advanceTimersByTime(31 * MINUTE_MS)
  expect(closed).toHaveLength(0)
  lifetime.released(connection!)
  vi.advanceTimersByTime(1)
  expect(closed).toEqual([connection])
  expect(vi.getTimerCount()).toBe(0)
})

test('maxLifetimeMs over, in use again: closed after it returned, and an idle one at once', () => {
  const lifetime = lifetimeOf({ random: () => 0 })
  const [busy, idle] = open(lifetime, 2)
  for (const connection of [busy!, idle!]) lifetime.released(connection)
  lifetime.acquired(busy!)
  vi.advanceTimersByTime(30 * MINUTE_MS)
  expect(closed).toEqual([idle])
  vi.advanceTimersByTime(MINUTE_MS)
  expect(closed).toEqual([idle])
  lifetime.released(busy!)
  vi.advanceTimersByTime(1)
  expect(closed).toEqual([idle, busy])
})

test('connections of different lifetimes: each is closed when its own is over', () => {
  const randoms = [0, 1, 0]
  const lifetime = lifetimeOf({ random: () => randoms.shift()! })
  const [late, early, other] = open(lifetime, 3)
  for (const connection of [late!, early!, other!]) lifetime.released(connection)
  vi.advanceTimersByTime(27 * MINUTE_MS)
  expect(closed).toEqual([early])
  vi.advanceTimersByTime(3 * MINUTE_MS - 1)
  expect(closed).toEqual([early])
  vi.advanceTimersByTime(1)
  expect(closed).toEqual([early, late])
})

test('maxLifetimeMs over, never idle: closed when it goes from one caller to the next', () => {
  const lifetime = lifetimeOf({ random: () => 0 })
  const [one, two] = open(lifetime, 2)
  vi.advanceTimersByTime(30 * MINUTE_MS - 1)
  expect(lifetime.mustClose(one!)).toBe(false)
  vi.advanceTimersByTime(1)
  // Also when the pool asks again.
  expect([lifetime.mustClose(one!), lifetime.mustClose(one!)]).toEqual([true, true])
  expect(lifetime.mustClose(two!)).toBe(false)
  vi.advanceTimersByTime(500)
  expect(lifetime.mustClose(two!)).toBe(true)
  expect(lifetime.stats()).toMatchObject({ retired: { lifetime: 2 } })
  // The pool closes them.
  expect(closed).toEqual([])
})

test('many lifetimes over at once: a tenth of the limit per interval, one at each run of the timer', () => {
  const lifetime = lifetimeOf({ random: () => 0 })
  for (const connection of open(lifetime, 50)) lifetime.released(connection)
  const startedAt = Date.now()
  const closedAt = Array.from({ length: 5 }, (_, index) => {
    vi.advanceTimersToNextTimer()
    expect(closed).toHaveLength(index + 1)
    return Date.now() - startedAt - 30 * MINUTE_MS
  })
  expect(closedAt).toEqual([0, 500, 1000, 1500, 2000])
})

test('a rate that is not limited: all are closed when their lifetime is over', () => {
  const lifetime = lifetimeOf({ random: () => 0, pace: new RetirePace(() => undefined) })
  for (const connection of open(lifetime, 5)) lifetime.released(connection)
  vi.advanceTimersByTime(30 * MINUTE_MS + 10)
  expect(closed).toHaveLength(5)
})

test('a fleet of 4 on the same limit: each process takes its part of the tenth', () => {
  limiter.processes = 4
  const lifetime = lifetimeOf({ random: () => 0 })
  for (const connection of open(lifetime, 50)) lifetime.released(connection)
  vi.advanceTimersByTime(30 * MINUTE_MS + 20_000)
  expect(closed.length).toBeLessThanOrEqual(11)
  expect(closed.length).toBeGreaterThanOrEqual(9)
})

test('a connection waits for a permit: no voluntary replacement', () => {
  const looks = vi.fn(() => limiter as never)
  const lifetime = lifetimeOf({ random: () => 0, pace: new RetirePace(looks) })
  for (const connection of open(lifetime, 5)) lifetime.released(connection)
  limiter.waiting = 1
  vi.advanceTimersByTime(30 * MINUTE_MS)
  looks.mockClear()
  vi.advanceTimersByTime(MINUTE_MS)
  expect(closed).toHaveLength(0)
  // Once a second, whether and when.
  expect(looks).toHaveBeenCalledTimes(120)
  limiter.waiting = 0
  vi.advanceTimersByTime(5_000)
  expect(closed).toHaveLength(5)
})

test('maxLifetimeMs false: never closed, no timer', () => {
  const lifetime = lifetimeOf({ maxLifetimeMs: false })
  for (const connection of open(lifetime, 5)) lifetime.released(connection)
  expect(vi.getTimerCount()).toBe(0)
})

test('a read-only error: the connection and its siblings to the same address are retired, idle ones at once', () => {
  const demoted: string[] = []
  const lifetime = lifetimeOf({ onDemoted: (address) => demoted.push(address) })
  const [failing, busy, idle] = open(lifetime, 3)
  const [elsewhere] = open(lifetime, 1, '10.0.0.2')
  lifetime.released(idle!)
  lifetime.released(elsewhere!)
  lifetime.failed(failing!, READ_ONLY)
  expect(closed).toEqual([idle])
  expect(lifetime.stats()).toMatchObject({ open: 3, retiring: 2 })
  expect(lifetime.mustClose(failing!)).toBe(true)
  expect(lifetime.mustClose(elsewhere!)).toBe(false)
  lifetime.released(busy!)
  lifetime.released(failing!)
  expect(closed).toEqual([idle, busy, failing])
  expect(demoted).toEqual(['10.0.0.1'])
  expect(lifetime.stats()).toMatchObject({ open: 1, generation: 1, retired: { 'read-only': 3 } })
})

test('a read-only error on a socket that has closed since: that connection alone is retired', () => {
  const demoted: string[] = []
  for (const options of [{}, { onDemoted: (address: string) => demoted.push(address) }]) {
    const lifetime = lifetimeOf(options)
    const [failing, other, elsewhere] = open(lifetime, 3)
    failing!.address = undefined
    other!.address = undefined
    lifetime.failed(failing!, READ_ONLY)
    expect(lifetime.mustClose(failing!)).toBe(true)
    expect(lifetime.mustClose(other!)).toBe(false)
    lifetime.failed(elsewhere!, READ_ONLY)
  }
  expect(demoted).toEqual(['10.0.0.1'])
})

test.each([
  [{ errno: 1836, message: 'Running in read-only mode' }, true],
  [{ errno: 1290, message: 'running with the --super-read-only option' }, true],
  [{ errno: 1290, message: 'running with the --READ_ONLY option' }, true],
  [{ errno: 1290, message: 'running with the readonly option' }, false],
  [{ errno: 1290 }, false],
  [{ errno: 1045, message: 'read-only' }, false],
  [undefined, false],
  [null, false],
])('%j: a server that takes no changes, %s', (error, expected) => {
  expect(isReadOnlyError(error)).toBe(expected)
})

test('a connection that the pool does not know, or no longer: nothing happens', () => {
  const lifetime = lifetimeOf()
  const stranger = { address: '10.0.0.1' }
  lifetime.acquired(stranger)
  lifetime.released(stranger)
  lifetime.broke(stranger, Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' }))
  expect(lifetime.mustClose(stranger)).toBe(false)
  lifetime.closed(stranger)
  expect(lifetime.stats()).toMatchObject({ open: 0, retired: { dead: 0 } })
})

test.each([
  ['1792: the transaction of the caller is read-only', { errno: 1792, message: 'READ ONLY transaction' }],
  ['1290 for another option', { errno: 1290, message: 'running with the --secure-file-priv option' }],
  ['1045', { errno: 1045, message: 'Access denied' }],
])('%s: no connection is retired', (_title, error) => {
  const lifetime = lifetimeOf()
  const [connection] = open(lifetime, 1)
  lifetime.failed(connection!, error)
  expect(lifetime.mustClose(connection!)).toBe(false)
})

test('retireDemoted false: no connection is retired by a read-only error', () => {
  const lifetime = lifetimeOf({ retiresReadOnly: false })
  const [connection] = open(lifetime, 1)
  lifetime.failed(connection!, READ_ONLY)
  expect(lifetime.mustClose(connection!)).toBe(false)
})

test('the endpoint leads elsewhere: connections to the old address are retired, a second report changes nothing', () => {
  const lifetime = lifetimeOf()
  const [idle, busy] = open(lifetime, 2)
  const [current, closing] = open(lifetime, 2, '10.0.0.2')
  closing!.address = undefined
  lifetime.released(idle!)
  lifetime.released(current!)
  lifetime.moved(new Set(['10.0.0.2']))
  lifetime.moved(new Set(['10.0.0.2']))
  expect(closed).toEqual([idle])
  lifetime.released(busy!)
  expect(closed).toEqual([idle, busy])
  expect(lifetime.stats()).toMatchObject({ open: 2, generation: 1, retired: { moved: 2 } })
})

test('connections that come and go: the watch runs from the first to the last', () => {
  const calls: string[] = []
  const lifetime = lifetimeOf({
    onFirst: () => {
      calls.push('first')
      return () => calls.push('stop')
    },
    onLast: () => calls.push('last'),
  })
  const [one, two] = open(lifetime, 2)
  lifetime.closed(one!)
  lifetime.closed(two!)
  lifetime.closed(two!)
  open(lifetime, 1)
  lifetime.dispose()
  expect(calls).toEqual(['first', 'stop', 'last', 'first', 'stop', 'last'])
  expect(vi.getTimerCount()).toBe(0)
})

test('a server vanished: its connection counts as dead, and the next one as its replacement', () => {
  const reasons: string[] = []
  const lifetime = lifetimeOf({ onRetired: (reason) => reasons.push(reason) })
  const [one, other] = open(lifetime, 2)
  lifetime.released(one!)
  for (let reports = 0; reports < 2; reports++) {
    lifetime.broke(one!, Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' }))
  }
  lifetime.broke(other!, Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  lifetime.broke(other!, undefined)
  expect([lifetime.mustClose(one!), lifetime.mustClose(other!)]).toEqual([true, false])
  for (const connection of [one!, other!]) lifetime.closed(connection)
  expect(closed).toHaveLength(0)
  open(lifetime, 2)
  expect(reasons).toEqual(['dead'])
  expect(lifetime.stats()).toMatchObject({ open: 2, retiring: 0, retired: { dead: 1 }, replaced: 1 })
})
