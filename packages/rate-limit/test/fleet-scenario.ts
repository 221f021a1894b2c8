import fc from 'fast-check'
import { vi } from 'vitest'
import { createRateLimiter, fleetStore, type Permit, type RateLimitClock } from '../src/index.ts'
import { SimulatedClock } from './simulated-clock.ts'

interface Outage {
  fromMs: number
  forMs: number
  /** Requests and replies are lost instead of rejected. */
  isSilent: boolean
  losesData: boolean
}

/** Faults of a fleet, and their times in milliseconds. */
export interface FleetScenario {
  limit: number
  intervalMs: number
  processes: number
  onStoreLost: 'share' | 'fail-closed'
  callers: {
    process: number
    gapMs: number
    latencyMs: number
    arrival: number
    ending: 'ok' | 'throttled' | 'cancel' | 'forget'
    lane: 'live' | 'background'
    /** Time of the packet that the server counts on its way, after the last look at the permit. */
    lastPacketMs: number
  }[]
  /** Milliseconds that a request and a reply are under way, in rotation. */
  delays: number[]
  freeze: { process: number; fromMs: number; forMs: number } | undefined
  crash: { process: number; atMs: number } | undefined
  outages: Outage[]
  /** One process is cut off while the others are not. */
  cut: { process: number; fromMs: number; forMs: number } | undefined
  /** The store's clock is set. */
  step: { atMs: number; byMs: number } | undefined
  /** The store evicts one of the key's structures, by its number. */
  evictions: { atMs: number; structure: number }[]
}

const sometimes = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 })
const process = fc.nat(3)
const early = fc.integer({ min: 1500, max: 9000 })
const delays = (max: number) => fc.array(fc.nat(max), { minLength: 5, maxLength: 5 })

export const fleetScenarios: fc.Arbitrary<FleetScenario> = fc
  .record({
    limit: fc.constantFrom(1, 2, 3, 5, 20),
    intervalMs: fc.constantFrom(250, 1000),
    processes: fc.integer({ min: 1, max: 4 }),
    onStoreLost: fc.constantFrom('share', 'share', 'share', 'fail-closed'),
    callers: fc.array(
      fc.record({
        process,
        gapMs: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat(100), fc.nat(1500)),
        latencyMs: fc.oneof({ weight: 4, arbitrary: fc.nat(60) }, fc.nat(1500)),
        arrival: fc.double({ min: 0, max: 1, noNaN: true }),
        ending: fc.constantFrom('ok', 'ok', 'ok', 'ok', 'throttled', 'cancel', 'forget'),
        lane: fc.constantFrom('live', 'live', 'live', 'background'),
        lastPacketMs: fc.constantFrom(20, 20, 20, 300, 950),
      }),
      { minLength: 10, maxLength: 60, size: 'max' },
    ),
    delays: fc.oneof({ weight: 2, arbitrary: delays(5) }, delays(150), delays(1000)),
    freeze: sometimes(fc.record({ process, fromMs: early, forMs: fc.integer({ min: 100, max: 20_000 }) })),
    crash: sometimes(fc.record({ process, atMs: early })),
    outages: fc.array(
      fc.record({ fromMs: early, forMs: fc.nat(6000), isSilent: fc.boolean(), losesData: fc.boolean() }),
      { maxLength: 2 },
    ),
    cut: sometimes(fc.record({ process, fromMs: early, forMs: fc.nat(6000) })),
    // A smaller step forward looks like a slow network (docs/fleet.md).
    step: sometimes(fc.record({ atMs: early, byMs: fc.constantFrom(-5000, -300, 2000, 60_000) })),
    evictions: fc.array(fc.record({ atMs: early, structure: fc.nat(9) }), { maxLength: 2 }),
  })
  // No rule that a process can follow alone is right while it is cut off and the others are not.
  .map((scenario) => (scenario.cut ? { ...scenario, onStoreLost: 'fail-closed' as const } : scenario))
  // Known to reach the limit and one (docs/fleet.md): a part of the key is evicted, and the clock of Redis is set or
  // Redis is lost twice.
  .map((scenario) =>
    scenario.step || scenario.outages.length > 1 ? { ...scenario, evictions: [] } : scenario,
  )

/** Runs one step of the script at an instant of the store's clock. */
export type ScriptRunner = (key: string, request: string, nowMs: number) => Promise<unknown>

/** Plays a scenario, and returns when the server counted each attempt and how many requests were never answered. */
export async function playFleet(
  scenario: FleetScenario,
  key: string,
  run: ScriptRunner,
  loseData: (key: string, structure?: number) => Promise<void>,
): Promise<{ arrivals: number[]; unanswered: number; trace: string[] }> {
  const { limit, intervalMs, callers, freeze, crash, outages, cut, step } = scenario
  const clock = new SimulatedClock()
  clock.driveWallClock()
  seedJitter()
  const startedAt = clock.now()
  const elapsed = () => clock.now() - startedAt
  const isDuring = (span: { fromMs: number; forMs: number } | undefined) =>
    span !== undefined && elapsed() >= span.fromMs && elapsed() < span.fromMs + span.forMs
  const trace: string[] = []
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
    setTimer: (callback, delayMs, isBackground) =>
      clock.setTimer(() => doIn(index, callback), delayMs, isBackground),
  })
  /** Returns whether a packet is lost now, and whether its sender gets an error. */
  const loss = (index: number): 'silent' | 'heard' | undefined => {
    const outage = outages.find(isDuring)
    if (outage !== undefined) return outage.isSilent ? 'silent' : 'heard'
    return cut?.process === index && isDuring(cut) ? 'silent' : undefined
  }
  const storeOf = (index: number) =>
    fleetStore({
      step: (_, request) =>
        new Promise((resolve, reject) => {
          const lose = (how: 'silent' | 'heard') => {
            if (how === 'heard') doIn(index, () => reject(new Error('The connection was lost.')))
          }
          clock.after(delay(), async () => {
            const lost = loss(index)
            if (lost) return lose(lost)
            const stepped = step !== undefined && elapsed() >= step.atMs ? step.byMs : 0
            const reply = await run(key, request, Math.floor(1_700_000_000_000 + elapsed() + stepped))
            trace.push(`${elapsed()} p${index} ${request} -> ${reply}`)
            clock.after(delay(), () => {
              const lostReply = loss(index)
              if (lostReply) return lose(lostReply)
              doIn(index, () => resolve(reply))
            })
          })
        }),
    })
  const limiters = Array.from({ length: scenario.processes }, (_, index) =>
    createRateLimiter({
      limit,
      intervalMs,
      clock: clockOf(index),
      maxWaitMs: 900_000,
      permitTtlMs: 5000,
      onStoreLost: scenario.onStoreLost,
      store: storeOf(index),
    }),
  )

  const arrivals: number[] = []
  /** Requests without an answer and attempts without an end, by process. */
  const open = limiters.map(() => 0)
  const attempt = (
    index: number,
    permit: Permit,
    { latencyMs, arrival, ending, lastPacketMs }: FleetScenario['callers'][number],
  ) => {
    clock.after(arrival * latencyMs, () =>
      doIn(index, () => {
        if (ending === 'cancel' || permit.isLapsed) {
          open[index]! -= 1
          return ending === 'cancel' ? permit.cancel() : permit.release('failed')
        }
        // From the last look at the permit until the server counts, some time passes.
        clock.after(lastPacketMs, () => {
          arrivals.push(clock.now())
          trace.push(`${elapsed()} p${index} counted`)
        })
        clock.after(lastPacketMs + (1 - arrival) * latencyMs, () =>
          doIn(index, () => {
            open[index]! -= 1
            if (ending !== 'forget') permit.release(ending)
          }),
        )
      }),
    )
  }
  // Every process has met the store before anything happens to it.
  for (const limiter of limiters) {
    clock.after(0, () => {
      limiter.acquire().then(
        (permit) => permit.cancel(),
        () => {},
      )
    })
  }
  for (const outage of outages) {
    if (outage.losesData) clock.after(outage.fromMs, () => loseData(key))
  }
  for (const { atMs, structure } of scenario.evictions) clock.after(atMs, () => loseData(key, structure))
  let startMs = 0
  for (const caller of callers) {
    startMs += caller.gapMs
    const index = caller.process % limiters.length
    open[index]! += 1
    clock.after(startMs, () =>
      doIn(index, () => {
        limiters[index]!.acquire({ lane: caller.lane }).then(
          (permit) => attempt(index, permit, caller),
          () => {},
        )
      }),
    )
  }
  const unanswered = () => open.reduce((sum, count, index) => sum + (crash?.process === index ? 0 : count), 0)
  // Processes call the store for as long as they live.
  const lastMs = startMs + 900_000
  await clock.runOut(() => unanswered() === 0 || elapsed() > lastMs)
  for (const limiter of limiters) limiter.close()
  return { arrivals: arrivals.sort((one, other) => one - other), unanswered: unanswered(), trace }
}

/** Makes the jitter of retries the same each time that a scenario is played. */
function seedJitter(): void {
  let random = 20
  vi.spyOn(Math, 'random').mockImplementation(() => {
    random = (random * 48_271) % 2_147_483_647
    return random / 2_147_483_647
  })
}
