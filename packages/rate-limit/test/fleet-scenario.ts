import fc from 'fast-check'
import { createRateLimiter, type Permit, type RateLimitClock, type RateLimitStore } from '../src/index.ts'
import { SimulatedClock } from './simulated-clock.ts'

/** Faults of a fleet, and their times in milliseconds. */
export interface FleetScenario {
  limit: number
  intervalMs: number
  processes: number
  callers: {
    process: number
    gapMs: number
    latencyMs: number
    arrival: number
    ending: 'ok' | 'throttled' | 'cancel' | 'forget'
  }[]
  /** Milliseconds that a question and an answer are under way, in rotation. */
  delays: number[]
  freeze: { process: number; fromMs: number; forMs: number } | undefined
  crash: { process: number; atMs: number } | undefined
  outage: { fromMs: number; forMs: number; isSilent: boolean; losesData: boolean } | undefined
  /** The store's clock is set. */
  step: { atMs: number; byMs: number } | undefined
}

const sometimes = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const process = fc.nat(3)
const early = fc.integer({ min: 1500, max: 5000 })

export const fleetScenarios: fc.Arbitrary<FleetScenario> = fc.record({
  limit: fc.constantFrom(1, 2, 5, 20),
  intervalMs: fc.constantFrom(250, 1000),
  processes: fc.integer({ min: 1, max: 4 }),
  callers: fc.array(
    fc.record({
      process,
      gapMs: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(100), fc.nat(800)),
      latencyMs: fc.oneof({ weight: 4, arbitrary: fc.nat(60) }, fc.nat(1500)),
      arrival: fc.double({ min: 0, max: 1, noNaN: true }),
      ending: fc.constantFrom('ok', 'ok', 'ok', 'ok', 'throttled', 'cancel', 'forget'),
    }),
    { minLength: 10, maxLength: 60, size: 'max' },
  ),
  delays: fc.oneof(
    fc.array(fc.nat(5), { minLength: 5, maxLength: 5 }),
    fc.array(fc.nat(150), { minLength: 5, maxLength: 5 }),
  ),
  freeze: sometimes(fc.record({ process, fromMs: early, forMs: fc.integer({ min: 100, max: 5000 }) })),
  crash: sometimes(fc.record({ process, atMs: early })),
  outage: sometimes(
    fc.record({ fromMs: early, forMs: fc.nat(4000), isSilent: fc.boolean(), losesData: fc.boolean() }),
  ),
  step: sometimes(fc.record({ atMs: early, byMs: fc.constantFrom(-5000, -300, 300, 2000, 60_000) })),
})

/** Runs one step of the script at an instant of the store's clock. */
export type ScriptRunner = (key: string, request: string, nowMs: number) => Promise<unknown>

/** Plays a scenario, and returns when the server counted each attempt and how many requests were never answered. */
export async function playFleet(
  scenario: FleetScenario,
  key: string,
  run: ScriptRunner,
  loseData: (key: string) => Promise<void>,
): Promise<{ arrivals: number[]; unanswered: number }> {
  const { limit, intervalMs, callers, freeze, crash, outage, step } = scenario
  const clock = new SimulatedClock()
  const startedAt = clock.now()
  const elapsed = () => clock.now() - startedAt
  const isOut = () =>
    outage !== undefined && elapsed() >= outage.fromMs && elapsed() < outage.fromMs + outage.forMs
  let calls = 0
  const delay = () => scenario.delays[calls++ % scenario.delays.length] as number

  /** Runs `action` in a process: when it has thawed, if it is frozen, and never once it has crashed. */
  const doIn = (index: number, action: () => void) => {
    if (crash?.process === index && elapsed() >= crash.atMs) return
    const thawsAt = freeze?.process === index ? freeze.fromMs + freeze.forMs : 0
    if (thawsAt > elapsed() && elapsed() >= freeze!.fromMs)
      clock.after(thawsAt - elapsed(), () => doIn(index, action))
    else action()
  }
  const clockOf = (index: number): RateLimitClock => ({
    now: () => clock.now(),
    setTimer: (callback, delayMs) => clock.setTimer(() => doIn(index, callback), delayMs),
  })
  const storeOf = (index: number): RateLimitStore => ({
    step: (storeKey, request) =>
      new Promise((resolve, reject) => {
        clock.after(delay(), async () => {
          if (isOut()) {
            if (!outage!.isSilent) doIn(index, () => reject(new Error('The connection was lost.')))
            return
          }
          const stepped = step !== undefined && elapsed() >= step.atMs ? step.byMs : 0
          const reply = await run(storeKey, request, Math.floor(1_700_000_000_000 + elapsed() + stepped))
          clock.after(delay(), () => doIn(index, () => resolve(reply)))
        })
      }),
  })
  const limiters = Array.from({ length: scenario.processes }, (_, index) =>
    // The key of a shared limiter is the key in the store; the prefix keeps scenarios apart.
    createRateLimiter({
      limit,
      intervalMs,
      clock: clockOf(index),
      maxWaitMs: 900_000,
      permitTtlMs: 5000,
      // With more processes than places a share is right only on average.
      onStoreLost: limit >= scenario.processes ? 'share' : 'fail-closed',
      store: { step: (_, request) => storeOf(index).step(key, request) },
    }),
  )

  const arrivals: number[] = []
  let unanswered = 0
  const attempt = (
    index: number,
    permit: Permit,
    { latencyMs, arrival, ending }: FleetScenario['callers'][number],
  ) => {
    clock.after(arrival * latencyMs, () =>
      doIn(index, () => {
        if (ending === 'cancel' || permit.isLapsed) return permit.cancel()
        // From the last look at the permit until the server counts, some milliseconds pass.
        clock.after(20, () => {
          arrivals.push(clock.now())
        })
        clock.after(20 + (1 - arrival) * latencyMs, () =>
          doIn(index, () => ending !== 'forget' && permit.release(ending)),
        )
      }),
    )
  }
  // Every process has reached the store before anything happens to it.
  for (const limiter of limiters) {
    clock.after(0, () => {
      void limiter.acquire().then((permit) => permit.cancel())
    })
  }
  if (outage?.losesData) clock.after(outage.fromMs, () => loseData(key))
  let startMs = 0
  for (const caller of callers) {
    startMs += caller.gapMs
    const index = caller.process % limiters.length
    clock.after(startMs, () =>
      doIn(index, () => {
        unanswered += 1
        limiters[index]!.acquire().then(
          (permit) => {
            unanswered -= 1
            attempt(index, permit, caller)
          },
          () => {},
        )
      }),
    )
  }
  await clock.runOut()
  const crashed = crash !== undefined && crash.process < limiters.length
  return { arrivals: arrivals.sort((one, other) => one - other), unanswered: crashed ? 0 : unanswered }
}
