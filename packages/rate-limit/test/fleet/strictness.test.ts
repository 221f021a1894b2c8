import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { fleetStep } from '../../src/fleet/lua-scripts.ts'
import { type FleetScenario, fleetScenarios, playFleet } from '../fleet-scenario.ts'
import { onGivenClock, peak, scriptRunner } from '../fleet-script.ts'
import { startRedis } from '../redis.ts'

// The script itself, in Redis itself, on a clock that the test moves.
const redis = await startRedis()
let scenariosPlayed = 0

afterEach(() => {
  vi.restoreAllMocks()
})

function play(scenario: FleetScenario, script: string) {
  const { run, lose } = scriptRunner(redis, script)
  return playFleet(scenario, `scenario-${scenariosPlayed++}`, run, lose)
}

/** A fresh seed each time; name one, as the report of a failure does, to play it again. */
const seed = Number(process.env.FLEET_SEED ?? Math.floor(Math.random() * 2 ** 31))

test(`any mix of crashes, freezes, outages, slow networks and clock steps: never over the limit, no request without an answer (FLEET_SEED=${seed})`, async () => {
  const script = onGivenClock(fleetStep)
  await fc.assert(
    fc.asyncProperty(fleetScenarios, async (scenario) => {
      const { arrivals, unanswered } = await play(scenario, script)
      expect(peak(arrivals, scenario.intervalMs)).toBeLessThanOrEqual(scenario.limit)
      expect(unanswered).toBe(0)
    }),
    { seed, numRuns: Number(process.env.FLEET_RUNS ?? 100), endOnFailure: process.env.FLEET_FAST === '1' },
  )
}, 3_600_000)

// Each of these was a failure once, or would be one.
test.each([
  ['counts from the grant instead of the outcome', 'max(now - age, from) + rest', 'from + rest'],
  [
    'grants at once after a loss',
    'facts.quiet = max(facts.quiet, facts.born + longest + GRACE + rest)',
    'facts.quiet = 0',
  ],
  [
    'does not know how many go on without it',
    'if facts.phaseEnd > 0 then capacity = min(capacity, facts.back) end',
    '',
  ],
  ['believes a clock that a process saw jump', ' or facts.born == request.reset', ''],
  ['promises its whole limit to each process', 'min(target, ours - (facts.promised - before))', 'ours'],
])(
  'a script that %s: the same property fails',
  async (_, right, wrong) => {
    const script = onGivenClock(fleetStep)
    expect(script.split(right)).toHaveLength(2)
    const broken = script.replace(right, wrong)
    const result = await fc.check(
      fc.asyncProperty(fleetScenarios, async (scenario) => {
        const { arrivals, unanswered } = await play(scenario, broken)
        return peak(arrivals, scenario.intervalMs) <= scenario.limit && unanswered === 0
      }),
      { seed: 20, numRuns: 600, endOnFailure: true },
    )
    expect(result.failed).toBe(true)
  },
  300_000,
)

const attempt = { gapMs: 0, latencyMs: 0, arrival: 0, ending: 'ok', lane: 'live', lastPacketMs: 20 } as const

/** Returns attempts of one process, the first `gapMs` after those before. */
const attempts = (process: number, count: number, gapMs: number): FleetScenario['callers'] =>
  Array.from({ length: count }, (_, index) => ({ ...attempt, process, gapMs: index === 0 ? gapMs : 0 }))

/** Two processes, of which the second has the one share. Its request of instant 4012 is the first that is lost. */
const lostFrom4012 = {
  limit: 1,
  intervalMs: 250,
  processes: 2,
  onStoreLost: 'share',
  callers: [...attempts(0, 1, 3985), ...attempts(1, 15, 27)],
  delays: [1, 0, 0, 0, 0],
  freeze: undefined,
  crash: undefined,
  cut: undefined,
  step: undefined,
  evictions: [],
} satisfies Partial<FleetScenario>

test.each<[condition: string, fault: Pick<FleetScenario, 'outages'> & Partial<FleetScenario>]>([
  [
    'a process freezes while a request has no reply, and thaws long after a short outage',
    {
      callers: [...lostFrom4012.callers, ...attempts(0, 40, 508)],
      freeze: { process: 1, fromMs: 4013, forMs: 10_000 },
      outages: [{ fromMs: 4012, forMs: 500, isSilent: true, losesData: false }],
    },
  ],
  [
    'a process freezes while a request has no reply, and thaws seconds after a short outage',
    {
      callers: [...lostFrom4012.callers, ...attempts(0, 40, 508)],
      freeze: { process: 1, fromMs: 4013, forMs: 5000 },
      outages: [{ fromMs: 4012, forMs: 500, isSilent: true, losesData: false }],
    },
  ],
  [
    'a process freezes before it reads a rejection, and thaws long after a short outage',
    {
      callers: [...lostFrom4012.callers, ...attempts(0, 40, 508)],
      delays: [3, 2],
      freeze: { process: 1, fromMs: 4014, forMs: 10_000 },
      outages: [{ fromMs: 4012, forMs: 500, isSilent: false, losesData: false }],
    },
  ],
  [
    'an outage too short for the store to notice, in which a process loses two requests',
    {
      callers: [...lostFrom4012.callers, ...attempts(0, 25, 2433)],
      outages: [{ fromMs: 4012, forMs: 2428, isSilent: true, losesData: false }],
    },
  ],
  [
    'an outage that loses data, and the first process that is back has no share',
    {
      callers: [...lostFrom4012.callers, ...attempts(1, 30, 0), ...attempts(0, 20, 8000)],
      outages: [{ fromMs: 4012, forMs: 7990, isSilent: true, losesData: true }],
    },
  ],
  [
    'an outage ends while a request of the process that uses its share is under way',
    {
      callers: [...lostFrom4012.callers, ...attempts(1, 40, 0), ...attempts(0, 40, 500)],
      delays: [91, 90, 90, 90, 90],
      outages: [{ fromMs: 4012, forMs: 4500, isSilent: false, losesData: false }],
    },
  ],
])('%s: never over the limit', async (_, fault) => {
  const scenario = { ...lostFrom4012, ...fault }
  const { arrivals, unanswered } = await play(scenario, onGivenClock(fleetStep))
  expect(unanswered).toBe(0)
  expect(arrivals).toHaveLength(scenario.callers.length)
  expect(peak(arrivals, scenario.intervalMs)).toBe(1)
})

test('a holder that is cut off, its last packets a second under way: never over, but for a script without grace', async () => {
  const caller = { gapMs: 0, ending: 'ok', lane: 'live' } as const
  const scenario: FleetScenario = {
    limit: 5,
    intervalMs: 250,
    processes: 2,
    onStoreLost: 'fail-closed',
    callers: [
      // The last look at the permit is a moment before the lease ends.
      ...Array.from({ length: 5 }, () => ({
        ...caller,
        process: 0,
        latencyMs: 800,
        arrival: 0.5,
        lastPacketMs: 950,
      })),
      ...Array.from({ length: 30 }, (_, index) => {
        const gapMs = index === 0 ? 1765 : 0
        return { ...caller, gapMs, process: 1, latencyMs: 10, arrival: 0.5, lastPacketMs: 1 }
      }),
    ],
    delays: [1],
    freeze: undefined,
    crash: undefined,
    outages: [],
    cut: { process: 0, fromMs: 1770, forMs: 6000 },
    step: undefined,
    evictions: [],
  }
  const script = onGivenClock(fleetStep)
  const { arrivals } = await play(scenario, script)
  expect(arrivals).toHaveLength(35)
  expect(peak(arrivals, 250)).toBeLessThanOrEqual(5)
  const withoutGrace = script.replace('+ GRACE + rest)\n  if owner', '+ rest)\n  if owner')
  expect(withoutGrace).not.toBe(script)
  expect(peak((await play(scenario, withoutGrace)).arrivals, 250)).toBeGreaterThan(5)
})

test('facts evicted in a silent outage, and a process without a share back before the one that has it: never over', async () => {
  const caller = { gapMs: 0, latencyMs: 0, arrival: 0, ending: 'ok', lane: 'live', lastPacketMs: 20 } as const
  const scenario: FleetScenario = {
    limit: 1,
    intervalMs: 250,
    processes: 3,
    onStoreLost: 'share',
    callers: [
      { ...caller, process: 2 },
      { ...caller, process: 1, lastPacketMs: 950 },
      { ...caller, process: 0, ending: 'cancel' },
      { ...caller, process: 2, lastPacketMs: 950 },
      ...[0, 0, 0].map((process) => ({ ...caller, process })),
      { ...caller, process: 2, ending: 'forget' },
      ...[0, 2, 0, 0, 1, 0].map((process) => ({ ...caller, process })),
    ],
    delays: [1, 1, 0, 0, 0],
    freeze: undefined,
    crash: undefined,
    outages: [],
    cut: undefined,
    step: undefined,
    evictions: [],
  }
  const script = onGivenClock(fleetStep)
  for (const fromMs of [4400, 4600, 4870, 5000]) {
    const outages = [{ fromMs, forMs: 5622, isSilent: true, losesData: false }]
    const evictions = [{ atMs: fromMs, structure: 1 }]
    const { arrivals, unanswered } = await play({ ...scenario, outages, evictions }, script)
    expect(unanswered).toBe(0)
    expect(peak(arrivals, scenario.intervalMs)).toBe(1)
  }
}, 60_000)
