import type { Redis } from 'ioredis'
import { fleetStep } from '../src/fleet/lua-scripts.ts'
import {
  type AcquireOptions,
  createRateLimiter,
  fleetStore,
  type RateLimiter,
  type RateLimiterOptions,
} from '../src/index.ts'
import { onGivenClock, peak, scriptRunner } from './fleet-script.ts'
import { SimulatedClock } from './simulated-clock.ts'

let fleets = 0

/**
 * Real limiters over the real script in a real Redis, in virtual time. Needs `vi.restoreAllMocks()` after each test.
 */
export class VirtualFleet {
  readonly clock = new SimulatedClock()
  /** When the database counted each login. */
  readonly counted: number[] = []
  isStoreLost = false
  /** Sees each reply of the store to a member, and may return another one. */
  onReply: (reply: unknown, member: number) => unknown = (reply) => reply
  readonly limit: number
  readonly intervalMs: number
  readonly evict: (structure?: number) => Promise<void>
  readonly #key = `fleet-${fleets++}`
  readonly #run: ReturnType<typeof scriptRunner>['run']
  readonly #startedAt: number
  readonly #frozen = new Set<RateLimiter>()
  #members = 0
  #open = 0

  constructor(redis: Redis, { limit = 3, intervalMs = 250 } = {}) {
    this.limit = limit
    this.intervalMs = intervalMs
    const { run, lose } = scriptRunner(redis, onGivenClock(fleetStep))
    this.#run = run
    this.evict = (structure) => lose(this.#key, structure)
    this.clock.driveWallClock()
    this.#startedAt = this.clock.now()
  }

  /** @param packetMs - one way between the process and the store. */
  member(packetMs = 1, options: Partial<RateLimiterOptions> = {}): RateLimiter {
    const { clock, limit, intervalMs } = this
    const index = this.#members++
    const step = (_: string, request: string) =>
      new Promise((resolve, reject) => {
        clock.after(packetMs, async () => {
          if (this.#frozen.has(member)) return
          if (this.isStoreLost) return reject(new Error('The connection was lost.'))
          const now = Math.floor(1_700_000_000_000 + clock.now() - this.#startedAt)
          const reply = this.onReply(await this.#run(this.#key, request, now), index)
          clock.after(packetMs, () => resolve(reply))
        })
      })
    const store = fleetStore({ step })
    const member = createRateLimiter({ limit, intervalMs, clock, maxWaitMs: 300_000, store, ...options })
    return member
  }

  /** Freezes a process: the store does not hear of it any more. */
  freeze(member: RateLimiter): void {
    this.#frozen.add(member)
  }

  /** Logs in with a permit, again when it lapsed. Returns how long it waited, or the code of its error. */
  async logIn(limiter: RateLimiter, options: AcquireOptions = {}): Promise<number | string> {
    this.#open += 1
    const startedAt = this.clock.now()
    try {
      for (;;) {
        const permit = await limiter.acquire(options)
        const waitedMs = this.clock.now() - startedAt
        await this.sleep(10)
        const isCounted = !permit.isLapsed
        if (isCounted) this.counted.push(this.clock.now())
        await this.sleep(10)
        permit.release(isCounted ? 'ok' : 'failed')
        if (isCounted) return waitedMs
      }
    } catch (error) {
      return (error as { code: string }).code
    } finally {
      this.#open -= 1
    }
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(delayMs, resolve))
  }

  /** Lets everything happen until every login has ended. */
  async run<T>(logins: Promise<T>): Promise<T> {
    await this.clock.runOut(() => this.#open === 0)
    return logins
  }

  /** Most logins that the database counted in one interval. */
  get most(): number {
    return peak(
      this.counted.toSorted((one, other) => one - other),
      this.intervalMs,
    )
  }
}
