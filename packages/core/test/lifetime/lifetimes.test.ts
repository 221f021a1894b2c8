import dns from 'node:dns'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { recordEvents } from '@aurora-iam/test-support/record-events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AuroraIamOptions } from '../../src/index.ts'
import { setUp as iamSetUp } from '../set-up.ts'

const MINUTE_MS = 60_000
const READ_ONLY = { errno: 1290, message: 'The MySQL server is running with the --read-only option' }
const R = 'abcdefghijkl.eu-west-1.rds.amazonaws.com'

/** The addresses to which every name leads. */
let addresses: string[]

beforeEach(() => {
  useMovedClock('setTimeout', 'setInterval')
  addresses = ['10.0.0.1']
  const answers = () => addresses.map((address) => ({ address, family: 4 }))
  vi.spyOn(dns, 'lookup').mockImplementation(((
    _host: string,
    _options: object,
    callback: (...args: unknown[]) => void,
  ) => callback(null, answers())) as never)
  vi.spyOn(dns.promises, 'lookup').mockImplementation((async () => answers()) as never)
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

/** Creates a pool to `host`, whose connections lead to 10.0.0.1. */
function setUp(options: AuroraIamOptions = {}, host?: string) {
  const { iam, target: writer } = iamSetUp(options)
  const target = host === undefined ? writer : iam.resolve({ host, port: 3306, user: 'app' })
  const closed: object[] = []
  const newPool = () =>
    iam.poolLifetime<object>(target, { remoteAddress: () => '10.0.0.1', close: (one) => closed.push(one) })
  const pool = newPool()
  const open = (number: number, of = pool) =>
    Array.from({ length: number }, () => {
      const connection = {}
      of.opened(connection)
      of.released(connection)
      return connection
    })
  return { iam, target, pool, newPool, open, closed }
}

test('no option: connections are replaced after 30 minutes, at the pace that the limit allows', async () => {
  const { iam, target, open, closed } = setUp({ rateLimit: 20 })
  ;(await iam.login(target)).cancel()
  open(50)
  vi.advanceTimersByTime(27 * MINUTE_MS - 1)
  expect(closed).toHaveLength(0)
  // All are due then. A tenth of the limit are two a second.
  vi.advanceTimersByTime(3 * MINUTE_MS + 25_000)
  expect(closed).toHaveLength(50)
  expect(iam.stats().pools).toEqual([])
  iam.close()
})

test('several pools of one endpoint: one pace', async () => {
  const { iam, target, open, newPool, closed } = setUp({ rateLimit: { limit: 1 }, maxLifetimeMs: 10_000 })
  ;(await iam.login(target)).cancel()
  open(1)
  open(1, newPool())
  vi.advanceTimersByTime(10_000)
  expect(closed).toHaveLength(1)
  vi.advanceTimersByTime(10_000)
  expect(closed).toHaveLength(2)
  iam.close()
})

test.each([
  ['the writer endpoint', undefined, {}, true],
  ['an instance', `db.${R}`, {}, true],
  [
    'the writer of a global database',
    'db.global-abcdefghijkl.global.rds.amazonaws.com',
    { region: 'eu-west-1' },
    true,
  ],
  ['the reader endpoint, whose answers rotate', `db.cluster-ro-${R}`, {}, false],
  ['watchEndpointMs false', undefined, { watchEndpointMs: false }, false],
  ['an address that a function decides', undefined, { dial: () => ({ host: 'db.internal' }) }, false],
] as const)(
  '%s leads elsewhere: its connections are retired, or the name is not watched',
  (_what, host, options, isWatched) => {
    const events = recordEvents('aurora-iam:retire')
    const { iam, target, open, closed, newPool } = setUp(options, host)
    open(1)
    open(1, newPool())
    vi.advanceTimersByTime(5_000)
    expect(closed).toHaveLength(0)
    addresses = ['10.0.0.2']
    vi.advanceTimersByTime(5_000)
    expect(closed).toHaveLength(isWatched ? 2 : 0)
    // One look-up for both pools.
    expect(dns.lookup).toHaveBeenCalledTimes(isWatched ? 2 : 0)
    const { hostname, port, username } = target
    expect(events).toEqual(closed.map(() => ({ hostname, port, username, reason: 'moved' })))
    iam.close()
  },
)

test('watchEndpointMs: the interval of the look-ups', () => {
  const { iam, open } = setUp({ watchEndpointMs: 1_000 })
  open(1)
  vi.advanceTimersByTime(3_000)
  expect(dns.lookup).toHaveBeenCalledTimes(3)
  iam.close()
})

test.each([
  ['the writer endpoint', undefined, {}, true],
  ['retireDemoted false', undefined, { retireDemoted: false }, false],
  ['an instance, which may be a reader', `db.${R}`, {}, false],
  ['an address that a function decides', undefined, { dial: () => ({ host: 'db.internal' }) }, true],
] as const)(
  '%s, and an error of a server that is read-only: the connection is retired, or kept',
  (_what, host, options, isRetired) => {
    const { iam, pool, open, closed } = setUp(options, host)
    const [connection] = open(1)
    pool.failed(connection!, READ_ONLY)
    expect(closed).toHaveLength(isRetired ? 1 : 0)
    iam.close()
  },
)

test('a writer was demoted: a new login waits until its name leads elsewhere, and one on an open connection does not', async () => {
  const { iam, target, pool, open } = setUp()
  await iam.token(target)
  const [connection] = open(1)
  iam.tryLogin(target)!.cancel()
  pool.failed(connection!, READ_ONLY)
  expect(iam.tryLogin(target)).toBeUndefined()
  const loggedIn = vi.fn()
  const login = iam.login(target).then(loggedIn)
  ;(await iam.loginAgain(target)).succeed()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(loggedIn).not.toHaveBeenCalled()
  expect(iam.stats().pools).toMatchObject([
    { hostname: target.hostname, port: 3306, username: 'app', waiting: 1, open: 0 },
  ])
  addresses = ['10.0.0.2']
  await vi.advanceTimersByTimeAsync(250)
  await login
  expect(loggedIn).toHaveBeenCalledOnce()
  expect(iam.stats().pools).toEqual([])
})

test('a writer was demoted behind a tunnel: a login to a reader through the same tunnel does not wait', async () => {
  const { iam, pool, open } = setUp({ dial: { host: 'tunnel.internal' } })
  const [connection] = open(1)
  pool.failed(connection!, READ_ONLY)
  const reader = iam.resolve({ host: `db.cluster-ro-${R}`, port: 3306, user: 'app' })
  ;(await iam.login(reader)).cancel()
  iam.close()
})

test('connections that wait: each is counted until it ends, with the pool of its target', async () => {
  const { iam, target, open } = setUp({ rateLimit: { limit: 1, intervalMs: 3_600_000 } })
  const held = await iam.login(target)
  const waits = [iam.login(target), iam.login(target)]
  await vi.advanceTimersByTimeAsync(0)
  expect(iam.stats().pools).toMatchObject([{ waiting: 2, open: 0 }])
  open(1)
  held.cancel()
  ;(await waits[0])!.cancel()
  expect(iam.stats().pools).toMatchObject([{ waiting: 1, open: 1 }])
  await waits[1]
  expect(iam.stats().pools).toMatchObject([{ waiting: 0, open: 1 }])
  // A target that has no pool.
  const other = iam.login({ ...target, username: 'other' }).catch(() => {})
  expect(iam.stats().pools).toHaveLength(1)
  iam.close()
  await other
})

test('close(): no timer is left', () => {
  const { iam, open } = setUp({ maxLifetimeMs: 10_000 })
  open(2)
  expect(vi.getTimerCount()).toBeGreaterThan(0)
  iam.close()
  expect(vi.getTimerCount()).toBe(0)
})
