import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { PoolLifetime, type PoolLifetimeOptions } from '../../src/lifetime/pool-lifetime.ts'
import { RetirePace } from '../../src/lifetime/retire-pace.ts'

const MINUTE_MS = 60_000
const READ_ONLY = { errno: 1290, message: 'The MySQL server is running with the --read-only option' }

interface Fake {
  readonly address: string
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
})

test('maxLifetimeMs over, never idle: closed when it goes from one caller to the next', () => {
  const lifetime = lifetimeOf({ random: () => 0 })
  const [one, two] = open(lifetime, 2)
  vi.advanceTimersByTime(30 * MINUTE_MS - 1)
  expect(lifetime.mustClose(one!)).toBe(false)
  vi.advanceTimersByTime(1)
  expect(lifetime.mustClose(one!)).toBe(true)
  expect(lifetime.mustClose(two!)).toBe(false)
  vi.advanceTimersByTime(500)
  expect(lifetime.mustClose(two!)).toBe(true)
  expect(lifetime.stats()).toMatchObject({ retired: { lifetime: 2 } })
})

test('many lifetimes over at once: at most a tenth of the limit per interval', () => {
  const lifetime = lifetimeOf({ random: () => 0 })
  for (const connection of open(lifetime, 50)) lifetime.released(connection)
  vi.advanceTimersByTime(30 * MINUTE_MS - 1)
  for (let second = 0; second < 10; second++) {
    const before = closed.length
    vi.advanceTimersByTime(1000)
    expect(closed.length - before).toBeLessThanOrEqual(2)
  }
  expect(closed.length).toBeGreaterThanOrEqual(19)
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
  const lifetime = lifetimeOf({ random: () => 0 })
  for (const connection of open(lifetime, 5)) lifetime.released(connection)
  limiter.waiting = 1
  vi.advanceTimersByTime(31 * MINUTE_MS)
  expect(closed).toHaveLength(0)
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
  expect(lifetime.mustClose(failing!)).toBe(true)
  expect(lifetime.mustClose(elsewhere!)).toBe(false)
  lifetime.released(busy!)
  lifetime.released(failing!)
  expect(closed).toEqual([idle, busy, failing])
  expect(demoted).toEqual(['10.0.0.1'])
  expect(lifetime.stats()).toMatchObject({ open: 1, generation: 1, retired: { 'read-only': 3 } })
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
  const [current] = open(lifetime, 1, '10.0.0.2')
  lifetime.released(idle!)
  lifetime.released(current!)
  lifetime.moved(new Set(['10.0.0.2']))
  lifetime.moved(new Set(['10.0.0.2']))
  expect(closed).toEqual([idle])
  lifetime.released(busy!)
  expect(closed).toEqual([idle, busy])
  expect(lifetime.stats()).toMatchObject({ open: 1, generation: 1, retired: { moved: 2 } })
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
  lifetime.broke(one!, Object.assign(new Error('read ETIMEDOUT'), { code: 'ETIMEDOUT' }))
  lifetime.broke(other!, Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  for (const connection of [one!, other!]) lifetime.closed(connection)
  expect(closed).toHaveLength(0)
  open(lifetime, 2)
  expect(reasons).toEqual(['dead'])
  expect(lifetime.stats()).toMatchObject({ open: 2, retiring: 0, retired: { dead: 1 }, replaced: 1 })
})
