import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import type { Permit, PermitOutcome, RateLimiter, RateLimiterOptions } from '../src/index.ts'
import { SimulatedClock } from './simulated-clock.ts'

/** Behaviour of one caller. Times are milliseconds. */
interface Caller {
  /** Between the request before and this one. */
  gapMs: number
  timeoutMs: number
  /** Which of the shared signals it passes, if any. */
  signal: number | undefined
  /** Duration of its attempt, and the part of it that has passed when the server counts it. */
  latencyMs: number
  arrival: number
  ending: PermitOutcome | 'cancel' | 'forget' | 'repeat'
}

export interface Scenario {
  limit: number
  intervalMs: number
  permitTtlMs: number
  callers: Caller[]
  /** When each of the shared signals is aborted. */
  aborts: number[]
  lower: { afterMs: number; limit: number } | undefined
  /** Delays of the timers, in rotation. */
  lateness: number[]
}

/** Sixteenths, which binary fractions hold exactly. */
const milliseconds = (max: number, min = 0) =>
  fc.integer({ min: min * 16, max: max * 16 }).map((sixteenths) => sixteenths / 16)

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  limit: fc.constantFrom(1, 2, 3, 5, 20),
  intervalMs: fc.constantFrom(100, 1000),
  permitTtlMs: fc.constantFrom(1500, 5000),
  callers: fc.array(
    fc.record({
      gapMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, milliseconds(60), milliseconds(1500)),
      timeoutMs: fc.oneof(fc.constant(60_000), milliseconds(4000)),
      signal: fc.option(fc.nat(1), { nil: undefined, freq: 3 }),
      latencyMs: fc.oneof({ weight: 3, arbitrary: milliseconds(50) }, milliseconds(4000)),
      arrival: milliseconds(1),
      ending: fc.constantFrom('ok', 'ok', 'ok', 'failed', 'throttled', 'cancel', 'forget', 'repeat'),
    }),
    { minLength: 1, maxLength: 90, size: 'max' },
  ),
  aborts: fc.array(milliseconds(6000), { minLength: 2, maxLength: 2 }),
  lower: fc.option(fc.record({ afterMs: milliseconds(3000), limit: fc.constantFrom(1, 2, 4) }), {
    nil: undefined,
  }),
  lateness: fc.array(milliseconds(8, -15 / 16), { minLength: 5, maxLength: 5 }),
})

interface Grant {
  caller: number
  /** The limit in force when it was granted. */
  limit: number
  /** When the server counted the attempt; `Infinity` if none was made. */
  arrivedAt: number
}

/** Plays a scenario and returns every promise that the limiter broke, in words. */
export async function brokenPromises(
  scenario: Scenario,
  create: (options: RateLimiterOptions) => RateLimiter,
): Promise<string[]> {
  const { limit, intervalMs, permitTtlMs, callers } = scenario
  let timersSet = 0
  const clock = new SimulatedClock(() => scenario.lateness[timersSet++ % scenario.lateness.length] ?? 0)
  const limiter = create({ limit, intervalMs, permitTtlMs, clock })
  const signals = scenario.aborts.map(() => new AbortController())
  const grants: Grant[] = []
  const broken: string[] = []
  let ended = 0
  let ceiling = limit

  const attempt = (permit: Permit, caller: number) => {
    const { latencyMs, arrival, ending } = callers[caller]!
    const isMade = ending !== 'cancel'
    // The promise is for attempts that reach the server before their permit expires.
    const arrivedAt = isMade
      ? clock.now() + arrival * Math.min(latencyMs, permitTtlMs)
      : Number.POSITIVE_INFINITY
    grants.push({ caller, limit: Math.min(ceiling, limiter.stats().effectiveLimit), arrivedAt })
    clock.after(latencyMs, () => {
      if (ending === 'cancel') permit.cancel()
      else if (ending === 'repeat') {
        permit.release()
        clock.after(intervalMs, () => permit.cancel())
        clock.after(intervalMs * 1.5, () => permit.release('throttled'))
      } else if (ending !== 'forget') permit.release(ending)
    })
  }

  let startMs = 0
  for (const [caller, { gapMs, timeoutMs, signal }] of callers.entries()) {
    startMs += gapMs
    clock.after(startMs, () => {
      const requestedAt = clock.now()
      const options = signal === undefined ? { timeoutMs } : { timeoutMs, signal: signals[signal]!.signal }
      limiter.acquire(options).then(
        (permit) => {
          ended += 1
          attempt(permit, caller)
        },
        (error: { code: string }) => {
          ended += 1
          if (error.code === 'ERR_RATE_LIMIT_ABORTED' && options.signal?.aborted) return
          const waitedMs = clock.now() - requestedAt
          if (error.code === 'ERR_RATE_LIMIT_TIMEOUT' && waitedMs >= timeoutMs && waitedMs <= timeoutMs + 10)
            return
          broken.push(`request ${caller} ended with ${error.code} after ${waitedMs} ms`)
        },
      )
    })
  }
  for (const [index, afterMs] of scenario.aborts.entries()) {
    clock.after(afterMs, () => signals[index]!.abort())
  }
  const { lower } = scenario
  if (lower !== undefined) {
    clock.after(lower.afterMs, () => {
      limiter.lower(lower.limit)
      ceiling = Math.min(ceiling, lower.limit)
    })
  }

  await clock.runOut(() => {
    const { waiting, available } = limiter.stats()
    if (clock.timers.length !== (waiting > 0 ? 1 : 0)) {
      broken.push(`${clock.timers.length} timers while ${waiting} wait`)
    }
    if (waiting > 0 && available > 0 && clock.timers[0]! > clock.now() + 9) {
      broken.push(`${waiting} wait though ${available} places are free`)
    }
    for (const { signal } of signals) {
      if (getEventListeners(signal, 'abort').length > 1) broken.push('more than one listener on a signal')
    }
  })

  if (ended !== callers.length) broken.push(`${callers.length - ended} requests never ended`)
  if (grants.some(({ caller }, index) => index > 0 && caller < grants[index - 1]!.caller)) {
    broken.push('grants out of order')
  }
  for (const { signal } of signals) {
    if (getEventListeners(signal, 'abort').length > 0) broken.push('a listener was left on a signal')
  }
  return [...broken, ...crowdedWindows(grants, intervalMs)]
}

/**
 * Returns every half-open window, as the server counts, that held more attempts than the limit in force at its last
 * grant.
 */
function crowdedWindows(grants: Grant[], intervalMs: number): string[] {
  const arrivals = grants.filter(({ arrivedAt }) => arrivedAt < Number.POSITIVE_INFINITY)
  return arrivals.flatMap(({ arrivedAt: from }) => {
    // `filter` keeps the order of the grants, so the last one was granted last.
    const window = arrivals.filter(({ arrivedAt }) => arrivedAt >= from && arrivedAt < from + intervalMs)
    const { limit } = window.at(-1)!
    return window.length > limit ? [`${window.length} arrivals in ${intervalMs} ms at limit ${limit}`] : []
  })
}
