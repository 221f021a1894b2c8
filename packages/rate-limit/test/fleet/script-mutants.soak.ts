import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { fleetStep } from '../../src/fleet/lua-scripts.ts'
import { fleetScenarios, playFleet } from '../fleet-scenario.ts'
import { onGivenClock, peak, scriptRunner } from '../fleet-script.ts'
import { startRedis } from '../redis.ts'

// `npm run test:mutants` changes TypeScript alone. These are changes to the script that the limit depends on.
const redis = await startRedis()
const runs = Number(process.env.FLEET_RUNS ?? 600)
let played = 0

afterEach(() => {
  vi.restoreAllMocks()
})

/** Returns the script with one text in the place of another, which it has once. */
function changed(right: string, wrong: string): string {
  const script = onGivenClock(fleetStep)
  expect(script.split(right)).toHaveLength(2)
  return script.replace(right, wrong)
}

test.each([
  ['rest one interval and no more', 'local rest = interval + 3', 'local rest = interval'],
  ['no grace for the last packet', 'local GRACE = 1000', 'local GRACE = 0'],
  ['no late request', 'local isLate = request.at and', 'local isLate = false and'],
  ['the largest limit holds', 'limit, interval = min(limit,', 'limit, interval = max(limit,'],
  ['a lost list of what is held', "  or call('ZCARD', OUT) ~= facts.out\n", ''],
  ['a lost list of what cools down', "  or call('ZCARD', REST) ~= facts.rest\n", ''],
  ['a lost list of holders', "  or call('HLEN', HOLD) ~= facts.hold\n", ''],
  ['a lost list of processes', "  or call('ZCARD', SEEN) ~= facts.seen\n", ''],
  ['a lost list of shares', "  or call('HLEN', SHARE) ~= facts.holders\n", ''],
  ['a clock that goes back', 'isLost or now < facts.last or', 'isLost or'],
  ['no quiet after a jump', 'isLost and 0 or now + slowest + GRACE + rest, 0', '0, 0'],
  [
    'the shortest lease after a loss',
    'isFromBefore and max(request.slowest or 0, request.lease) or SHORTEST',
    'SHORTEST',
  ],
  ['from the outcome on', 'coolDown(id, max(now - age, from) + rest)', 'coolDown(id, now - age)'],
  ['an outcome before the permit', 'max(now - age, from) + rest', 'now - age + rest'],
  ['a lapsed attempt', 'coolDown(nextId(), now - age + rest)\n  end', 'end'],
  ['a permit that comes back early', 'coolDown(id, mine[id])\n', '\n'],
  ['attempts without the store', 'for _, age in ipairs(request.others) do', 'for _, age in ipairs({}) do'],
  ['an expired lease', 'coolDown(id, tonumber(expired[i + 1]) + GRACE + rest)', ''],
  [
    'an expired lease without grace',
    'tonumber(expired[i + 1]) + GRACE + rest',
    'tonumber(expired[i + 1]) + rest',
  ],
  [
    'an expired lease without rest',
    'tonumber(expired[i + 1]) + GRACE + rest',
    'tonumber(expired[i + 1]) + GRACE',
  ],
  [
    'expired leases of others stay held',
    "if #held == 0 then call('HDEL', HOLD, owner)",
    "if true then call('HDEL', HOLD, owner)",
  ],
  [
    'a lease of the future renewed from now',
    "call('ZADD', OUT, max(from, now) + request.lease",
    "call('ZADD', OUT, now + request.lease",
  ],
  [
    'no renewal',
    "for id, from in pairs(mine) do call('ZADD', OUT, max(from, now)",
    "for id, from in pairs({}) do call('ZADD', OUT, max(from, now)",
  ],
  ['attempts under way are not adopted', 'for i = 1, request.adopt do', 'for i = 1, 0 do'],
  ['a share that was not heard', 'local charge = max(share, believed)', 'local charge = share'],
  ['a share that was not told', 'local charge = max(share, believed)', 'local charge = believed'],
  ['no silence is an outage', 'local SILENCE = 2500', 'local SILENCE = 1e15'],
  ['no claim', 'local isClaim = charged == 0 and', 'local isClaim = false and'],
  ['no witness', 'local isWitness = isFromBefore and', 'local isWitness = false and'],
  ['a loss is no loss', 'if facts.phaseEnd > 0 and (isClaim or isWitness) then facts.loss = 1 end', ''],
  ['a phase that ends soon', 'local PHASE = 12000', 'local PHASE = 1000'],
  [
    'a phase that others prolong',
    'if facts.phaseEnd > 0 and silence >= CONTACT + 2 * request.rtt then facts.phaseEnd = now + PHASE end',
    '',
  ],
  ['all are back at once', 'facts.back >= (facts.loss == 1 and limit or facts.promised)', 'true'],
  ['all are back after a loss', '(facts.loss == 1 and limit or facts.promised)', 'facts.promised'],
  ['who is back twice', 'if phase == facts.phase then', 'if false then'],
  [
    'shares of silent processes in a phase',
    "  if facts.phaseEnd == 0 then\n    local gone = call('ZRANGEBYSCORE', SEEN",
    "  if true then\n    local gone = call('ZRANGEBYSCORE', SEEN",
  ],
  ['shares while it is quiet', 'share = min(believed, target)', 'share = target'],
  ['what is held', 'local free = capacity - held - cooling', 'local free = capacity - cooling'],
  ['what cools down', 'local free = capacity - held - cooling', 'local free = capacity - held'],
  ['quiet', 'from = max(from, facts.quiet)\n', '\n'],
  ['a permit that cools down, given twice', "if #taken > 0 then call('ZREM', REST, unpack(taken)) end", ''],
  ['a permit that cools down, given at once', 'from = tonumber(soonest[2 * index])', 'from = now'],
  ['a permit not noted as held', "call('ZADD', OUT, from + request.lease, id", "call('ZADD', REST, from, id"],
  [
    'a lease from now',
    "call('ZADD', OUT, from + request.lease, id",
    "call('ZADD', OUT, now + request.lease, id",
  ],
  ['its first permits as well', 'facts.born + 1) then facts.quiet', '0) then facts.quiet'],
  [
    'the limit of others in a share',
    'local target = ceil(ours / max(1,',
    'local target = ceil(2 * ours / max(1,',
  ],
])(
  'the script changed, %s: over the limit, or a request without an answer',
  async (_, right, wrong) => {
    const { run, lose } = scriptRunner(redis, changed(right, wrong))
    const result = await fc.check(
      fc.asyncProperty(fleetScenarios, async (scenario) => {
        const { arrivals, unanswered } = await playFleet(scenario, `mutant-${played++}`, run, lose)
        return peak(arrivals, scenario.intervalMs) <= scenario.limit && unanswered === 0
      }),
      { seed: 20, numRuns: runs, endOnFailure: true },
    )
    await redis.flushall()
    process.stdout.write(`${result.failed ? 'noticed' : 'SURVIVED'} after ${result.numRuns}: ${_}\n`)
    expect(result.failed).toBe(true)
  },
  1_800_000,
)
