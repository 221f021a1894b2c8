import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { fleetStep } from '../../src/fleet/lua-scripts.ts'
import { fleetKeys } from '../../src/fleet/redis-store.ts'
import { createRateLimiter, fleetStore, redisStore } from '../../src/index.ts'
import { onGivenClock, peak, scriptRunner } from '../fleet-script.ts'
import { startRedis } from '../redis.ts'
import { SimulatedClock } from '../simulated-clock.ts'

// The predecessor's script as released, which runs beside today's on one key while a deployment rolls.
const protocol1 = onGivenClock(readFileSync(new URL('../fixtures/protocol-1.lua', import.meta.url), 'utf8'))

const redis = await startRedis()
let keys = 0

interface Deployment {
  limit: number
  members: { isOld: boolean; startMs: number; logins: number; latencyMs: number }[]
}

const deployments: fc.Arbitrary<Deployment> = fc.record({
  limit: fc.constantFrom(1, 2, 5, 20),
  members: fc.array(
    fc.record({
      isOld: fc.boolean(),
      startMs: fc.nat(6000),
      logins: fc.integer({ min: 1, max: 12 }),
      latencyMs: fc.oneof(fc.nat(60), fc.nat(1500)),
    }),
    { minLength: 2, maxLength: 4 },
  ),
})

const intervalMs = 1000

/** Plays a deployment; returns when each login was counted. */
async function play({ limit, members }: Deployment): Promise<number[]> {
  const clock = new SimulatedClock()
  clock.driveWallClock()
  const key = `deployment-${keys++}`
  const startedAt = clock.now()
  const serverTime = () => Math.floor(1_700_000_000_000 + clock.now() - startedAt)
  const { run } = scriptRunner(redis, onGivenClock(fleetStep))
  const counted: number[] = []
  for (const [index, { isOld, startMs, logins, latencyMs }] of members.entries()) {
    const count = () => {
      counted.push(clock.now())
    }
    clock.after(startMs, () => {
      if (isOld) {
        const oldKey = fleetKeys('test', key)[0] as string
        new Predecessor(clock, `old-${index}`, limit, latencyMs, count, (request) => {
          const now = serverTime()
          return redis.eval(protocol1, 1, oldKey, request, Math.floor(now / 1000), (now % 1000) * 1000)
        }).login(logins)
        return
      }
      const step = (_: string, request: string) =>
        new Promise((resolve) => clock.after(1, async () => resolve(await run(key, request, serverTime()))))
      const limiter = createRateLimiter({ limit, clock, maxWaitMs: 900_000, store: fleetStore({ step }) })
      for (let login = 0; login < logins; login++) {
        void limiter.acquire().then((permit) => {
          clock.after(latencyMs / 2, () => {
            if (permit.isLapsed) throw new Error('lapsed')
            count()
          })
          clock.after(latencyMs, () => permit.release())
        })
      }
    })
  }
  await clock.runOut()
  return counted.sort((one, other) => one - other)
}

/** The least of a process of release 0.1.0: it asks often, keeps its leases, and reports each end. */
class Predecessor {
  readonly #inFlight = new Set<number>()
  #settled: { id: number; age: number; throttled: boolean }[] = []
  #want = 0

  readonly clock: SimulatedClock
  readonly process: string
  readonly limit: number
  readonly latencyMs: number
  readonly count: () => void
  readonly step: (request: string) => Promise<unknown>

  constructor(
    clock: SimulatedClock,
    process: string,
    limit: number,
    latencyMs: number,
    count: () => void,
    step: (request: string) => Promise<unknown>,
  ) {
    this.clock = clock
    this.process = process
    this.limit = limit
    this.latencyMs = latencyMs
    this.count = count
    this.step = step
  }

  login(count: number): void {
    this.#want = count
    this.clock.after(0, () => this.#ask())
  }

  async #ask(): Promise<void> {
    const settled = this.#settled
    this.#settled = []
    const request = {
      process: this.process,
      limit: this.limit,
      interval: intervalMs,
      recover: 1000,
      lease: 500,
      ahead: 200,
      want: this.#want,
      settled,
      cancelled: [],
      others: [],
      rejoins: false,
    }
    const reply = (await this.step(JSON.stringify(request))) as number[]
    for (let index = 7; index < reply.length; index += 2) {
      const [id, waitMs] = reply.slice(index, index + 2) as [number, number]
      if (this.#inFlight.has(id) || this.#want === 0) continue
      this.#inFlight.add(id)
      this.#want -= 1
      this.clock.after(waitMs + this.latencyMs / 2, this.count)
      this.clock.after(waitMs + this.latencyMs, () => {
        this.#inFlight.delete(id)
        this.#settled.push({ id, age: 0, throttled: false })
        if (this.#inFlight.size === 0 && this.#want === 0) this.clock.after(0, () => this.#ask())
      })
    }
    if (this.#want > 0 || this.#inFlight.size > 0) this.clock.after(50, () => this.#ask())
  }
}

const seed = Number(process.env.FLEET_SEED ?? Math.floor(Math.random() * 2 ** 31))

afterEach(() => {
  vi.restoreAllMocks()
})

test(`processes of this release and of its predecessor on one key: never over the limit, and all log in (FLEET_SEED=${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(deployments, async (deployment) => {
      const counted = await play(deployment)
      expect(peak(counted, intervalMs)).toBeLessThanOrEqual(deployment.limit)
      expect(counted).toHaveLength(deployment.members.reduce((sum, { logins }) => sum + logins, 0))
    }),
    { seed, numRuns: 25, endOnFailure: process.env.FLEET_FAST === '1' },
  )
}, 120_000)

test('a key of a later protocol: nothing is granted, and the error names the version and the remedy', async () => {
  const [, facts] = fleetKeys('later', 'default') as [string, string]
  await redis.hset(facts, 'protocol', '3')
  const limiter = createRateLimiter({ limit: 5, store: redisStore(redis, { prefix: 'later' }) })
  await expect(limiter.acquire({ timeoutMs: 300 })).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_STORE_LOST',
    message: expect.stringMatching(/version 3 of the fleet protocol\. Update this process/),
  })
  expect(limiter.stats()).toMatchObject({ granted: 0, effectiveLimit: 0, storeLost: true })
})

test.each([0, 1])(
  'a value of another type under key %d: nothing is granted, and the error names it',
  async (index) => {
    const prefix = `type-${index}`
    await redis.lpush(fleetKeys(prefix, 'default')[index] as string, 'not of this library')
    const limiter = createRateLimiter({ limit: 5, store: redisStore(redis, { prefix }) })
    await expect(limiter.acquire({ timeoutMs: 300 })).rejects.toMatchObject({
      code: 'ERR_RATE_LIMIT_STORE_LOST',
      message: expect.stringContaining('holds a value of another type'),
    })
  },
)
