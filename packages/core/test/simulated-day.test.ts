import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readTokenDates } from '../src/adapter.ts'
import { AuroraIamError } from '../src/index.ts'
import { setUp } from './set-up.ts'
import { Clock, MINUTE, settle } from './support.ts'

const LIFE = 15 * MINUTE
const CLOCK_AHEAD_TOLERANCE = 5 * MINUTE

/** Event at the credential provider, or at the clock of this machine, before a login. */
type Happening =
  | 'nothing'
  | 'rotated'
  | 'fails'
  | 'hangs'
  | 'back'
  | 'clock right'
  | { readonly skewMs: number }

/** A source of credentials, and a database that knows which of them are good, both on the true time. */
class World {
  nowMs = Date.parse('2026-11-23T00:00:00Z')
  state: 'up' | 'fails' | 'hangs' = 'up'
  readonly #lifeMs: number
  readonly #ends = new Map<string, number>()
  readonly #unanswered: Array<(reason: Error) => void> = []
  #given = { ...STATIC, expiration: new Date(0) }

  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs
    this.issue()
  }

  /** Makes the credentials that the source gives from now on; the former are revoked. */
  issue(): void {
    this.#ends.clear()
    const expiration = new Date(this.nowMs + this.#lifeMs)
    this.#given = { ...STATIC, accessKeyId: `AKID${expiration.getTime()}`, expiration }
    this.#ends.set(this.#given.accessKeyId, expiration.getTime())
  }

  /** Ends what hangs, as a network does that is back. */
  reset(): void {
    for (const reject of this.#unanswered.splice(0)) reject(new Error('reset'))
  }

  readonly credentials = async () => {
    if (this.state === 'hangs') return new Promise<never>((_resolve, reject) => this.#unanswered.push(reject))
    if (this.state === 'fails') throw new Error('down')
    if (this.#given.expiration.getTime() <= this.nowMs + 5_000) this.issue()
    return this.#given
  }

  /**
   * Returns when `token` expires: by its age, or with the credentials that signed it. Undefined if those are revoked.
   */
  endOf(token: string): { signedMs: number; endMs: number | undefined } {
    const { accessKeyId } = /X-Amz-Credential=(?<accessKeyId>\w+)/.exec(token)!.groups!
    const signedMs = readTokenDates(token)!.signedAt.getTime()
    const credentialsEndMs = this.#ends.get(accessKeyId!)
    return { signedMs, endMs: credentialsEndMs && Math.min(signedMs + LIFE, credentialsEndMs) }
  }

  accepts(token: string): boolean {
    const { signedMs, endMs } = this.endOf(token)
    return signedMs <= this.nowMs + CLOCK_AHEAD_TOLERANCE && endMs !== undefined && this.nowMs < endMs
  }
}

beforeEach(() => {
  useMovedClock()
})

afterEach(() => {
  vi.useRealTimers()
})

const ms = (min: number, max: number) => fc.integer({ min, max })
const step = fc.record({
  // Longer than a refusal keeps the source from being asked for the next.
  waitMs: fc.oneof(ms(6_000, MINUTE), ms(6_000, 20 * MINUTE), ms(6_000, 90 * MINUTE)),
  happens: fc.oneof(
    { weight: 4, arbitrary: fc.constant<Happening>('nothing') },
    {
      weight: 4,
      arbitrary: fc.constantFrom<Happening>('rotated', 'fails', 'hangs', 'back', 'back', 'clock right'),
    },
    { weight: 1, arbitrary: fc.record({ skewMs: ms(-120 * MINUTE, 120 * MINUTE) }) },
  ),
  user: fc.constantFrom('app', 'reporting'),
})

test('a day of rotations, outages and clock jumps: no token past its end, and right again at once', async () => {
  const seen = { accepted: 0, revoked: 0, failed: 0, wrongClock: 0 }
  await fc.assert(
    fc.asyncProperty(
      ms(2 * MINUTE, 90 * MINUTE),
      fc.array(step, { minLength: 60, maxLength: 120 }),
      async (lifeMs, steps) => {
        const world = new World(lifeMs)
        const clock = new Clock()
        clock.now = world.nowMs
        const { iam, target } = setUp({ credentials: world.credentials, credentialsTimeoutMs: 1 }, clock)
        let skewMs = 0

        const logIn = async (user: string): Promise<boolean> => {
          const login = await iam.login(iam.resolve({ host: target.hostname, port: 3306, user }))
          const { value, expiresAt } = await login.token()
          const { signedMs, endMs } = world.endOf(value)
          expect(clock.now).toBeLessThan(expiresAt.getTime())
          expect(clock.now).toBeGreaterThanOrEqual(signedMs)
          if (endMs !== undefined) expect(expiresAt.getTime()).toBe(endMs)
          const isAccepted = world.accepts(value)
          if (isAccepted) login.succeed()
          else login.fail(Object.assign(new Error('Access denied'), { errno: 1045 }))
          // What was refused on a clock that is right was signed by keys that are no more.
          if (!isAccepted && skewMs === 0) expect(endMs).toBeUndefined()
          return isAccepted
        }

        for (const { waitMs, happens, user } of steps) {
          world.nowMs += waitMs
          vi.advanceTimersByTime(waitMs)
          if (happens === 'rotated') world.issue()
          else if (happens === 'fails' || happens === 'hangs') world.state = happens
          else if (happens === 'back') world.state = 'up'
          else if (happens === 'clock right') skewMs = 0
          else if (happens !== 'nothing') skewMs = happens.skewMs
          clock.now = world.nowMs + skewMs
          if (world.state !== 'hangs') {
            world.reset()
            await settle()
          }

          if (world.state === 'up' && skewMs === 0) {
            if (await logIn(user)) seen.accepted++
            else {
              seen.revoked++
              expect(await logIn(user)).toBe(true)
            }
          } else {
            const outcome = await logIn(user).catch((error: unknown) => error)
            if (typeof outcome === 'boolean') {
              if (skewMs !== 0 && !outcome) seen.wrongClock++
            } else {
              seen.failed++
              expect(outcome).toBeInstanceOf(AuroraIamError)
              expect((outcome as AuroraIamError).code).toMatch(/CREDENTIALS_(UNAVAILABLE|TIMEOUT|INVALID)$/)
            }
          }
          await settle()
          // A background refresh that hangs has timed out before the provider is back.
          if (world.state === 'hangs') await new Promise((resolve) => setTimeout(resolve, 5))
        }
        iam.close()
      },
    ),
    { seed: 20_261_123, numRuns: 15 },
  )
  // It was a day in which all of it happened.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(5)
})
