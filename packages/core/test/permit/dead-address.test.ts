import { createRateLimiter } from '@aurora-iam/rate-limit'
import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { adapterIam, monotonicMs } from '../../src/adapter.ts'
import type { AuroraIamOptions } from '../../src/index.ts'
import { type SimulatedAddress, SimulatedClients, type Worker } from './dead-address.ts'

const DEAD = 4001
const LIVE = 4002
const FOREVER = [0, Number.POSITIVE_INFINITY] as const

// The first token would load it, for as long as the machine takes.
beforeAll(() => import('@aws-sdk/rds-signer'))
beforeEach(() => {
  useMovedClock('setTimeout', 'setInterval')
})
afterEach(() => {
  // Before the real timers are back: a spy restores the function that it found, which is one of the fake clock.
  vi.restoreAllMocks()
  vi.useRealTimers()
})

let clusters = 0

/** Returns targets of one new cluster: its writer leads to the first port, and its reader to the second. */
function cluster(iams: ReadonlyArray<ReturnType<typeof adapterIam>>, users = ['app', 'app']) {
  const [writer, reader] = iams.length === 1 ? [iams[0]!, iams[0]!] : [iams[0]!, iams[1]!]
  const name = `c${clusters++}`
  const resolve = (iam: typeof writer, kind: string, user: string) =>
    iam.resolve({ host: `${name}.${kind}-abcdefghijkl.eu-west-1.rds.amazonaws.com`, port: 3306, user })
  return {
    writer: { iam: writer, target: resolve(writer, 'cluster', users[0]!) },
    reader: { iam: reader, target: resolve(reader, 'cluster-ro', users[1]!) },
  }
}

const iamWith = (options: AuroraIamOptions) =>
  adapterIam({
    credentials: STATIC,
    dial: ({ hostname }) => ({ host: '127.0.0.1', port: hostname.includes('cluster-ro') ? LIVE : DEAD }),
    ...options,
  })

/** Workers that begin at once and pause for as long as a pool does before it tries again. */
const workersOn = (side: Pick<Worker, 'iam' | 'target'>, number: number): Worker[] =>
  Array.from({ length: number }, () => ({ ...side, startsAtMs: 0, pauseMs: 1 }))

const outage = fc
  .record({ from: fc.integer({ min: 0, max: 4000 }), length: fc.integer({ min: 1, max: 4000 }) })
  .map(({ from, length }) => [from, from + length] as const)
const address = fc.record({
  outages: fc.array(outage, { maxLength: 2 }),
  isSilent: fc.boolean(),
  roundTripMs: fc.integer({ min: 2, max: 300 }),
})
const scenario = fc.record({
  limit: fc.constantFrom(1, 2, 5, 20),
  intervalMs: fc.constantFrom(200, 1000),
  tcpTimeoutMs: fc.constantFrom(400, 1000, 3000),
  addresses: fc.tuple(address, address),
  isShared: fc.boolean(),
  workers: fc.array(
    fc.record({
      isWriter: fc.boolean(),
      startsAtMs: fc.integer({ min: 0, max: 2000 }),
      pauseMs: fc.integer({ min: 1, max: 50 }),
    }),
    { minLength: 5, maxLength: 30, size: 'max' },
  ),
})

test('addresses that die and answer again at any time: the server never gets more tokens than the limit in any interval', async () => {
  let tokens = 0
  let returned = 0
  await fc.assert(
    fc.asyncProperty(scenario, async ({ limit, intervalMs, tcpTimeoutMs, addresses, isShared, workers }) => {
      const now = monotonicMs()
      const limiter = createRateLimiter({ limit, intervalMs })
      const iams = Array.from({ length: isShared ? 1 : 2 }, () =>
        iamWith({ rateLimit: limiter, maxWaitMs: 5000 }),
      )
      const sides = cluster(iams)
      const clients = new SimulatedClients(
        addresses.map(({ outages, ...rest }, index) => ({
          ...rest,
          port: index === 0 ? DEAD : LIVE,
          outages: outages.map(([from, to]) => [now + from, now + to] as const),
        })),
        tcpTimeoutMs,
      )
      await clients.run(
        workers.map(({ isWriter, ...rest }) => ({ ...rest, ...(isWriter ? sides.writer : sides.reader) })),
        6000,
      )
      tokens += clients.arrivals.length
      returned += limiter.stats().cancelled
      expect(clients.peak(intervalMs)).toBeLessThanOrEqual(limit)
      // Nothing is left behind.
      expect(limiter.stats()).toMatchObject({ inFlight: 0, waiting: 0, expired: 0 })
      limiter.close()
    }),
    { seed: 12, numRuns: 25 },
  )
  // The scenarios are those in which permits go back and are acquired again.
  expect(tokens).toBeGreaterThan(500)
  expect(returned).toBeGreaterThan(100)
}, 60_000)

const silent: SimulatedAddress = { port: DEAD, outages: [FOREVER], isSilent: true, roundTripMs: 4 }
const refusing: SimulatedAddress = { ...silent, isSilent: false }
const live: SimulatedAddress = { port: LIVE, outages: [], isSilent: true, roundTripMs: 4 }

const sharedSettings = () => [iamWith({ rateLimit: 20 })]
const separateSettings = () => [iamWith({ rateLimit: 20 }), iamWith({ rateLimit: 20 })]

test.each([
  ['one AuroraIam, a silent writer', silent, sharedSettings, ['app', 'app']],
  ['one AuroraIam, a writer that refuses connections', refusing, sharedSettings, ['app', 'app']],
  ['one AuroraIam, two users', silent, sharedSettings, ['app', 'report']],
  ['two pools with one AuroraIam each', silent, separateSettings, ['app', 'app']],
  ['two pools with one AuroraIam each, refused', refusing, separateSettings, ['app', 'report']],
] as const)(
  '%s, 40 workers on it: the reader logs in at least 0.9 times as often as alone',
  async (_title, dead, iams, users) => {
    const logins = async (deadWorkers: number) => {
      const { writer, reader } = cluster(iams(), [...users])
      const clients = new SimulatedClients([dead, live], 3000)
      await clients.run([...workersOn(writer, deadWorkers), ...workersOn(reader, 40)], 20_000)
      return clients.count(LIVE)
    }
    const alone = await logins(0)
    // The limit is what bounds it.
    expect(alone).toBeGreaterThan(0.9 * 20 * 20)
    expect(await logins(40)).toBeGreaterThanOrEqual(0.9 * alone)
  },
)

test('a rate limit with a longer wait than a timer of Node has: an attempt waits for room, and no timer overflows', async () => {
  const setTimer = vi.spyOn(globalThis, 'setTimeout')
  const { writer } = cluster([iamWith({ rateLimit: { limit: 1, maxWaitMs: 1e12 } })])
  const clients = new SimulatedClients([silent], 60_000)
  await clients.run(workersOn(writer, 2), 5_000)
  const longest = Math.max(...setTimer.mock.calls.map(([, delayMs = 0]) => delayMs))
  expect(longest).toBe(2 ** 31 - 1)
})
