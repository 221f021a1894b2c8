import { readFile } from 'node:fs/promises'
import { isolateAwsEnvironment, pathOf } from '@aurora-iam/test-support/aws-environment'
import { describe, expect, test } from 'vitest'
import { type Fleet, type Limiter, type Outcome, type Scenario, simulate } from '../../src/plan/simulate.ts'
import { run } from '../run.ts'

isolateAwsEnvironment()

const fleet: Fleet = {
  processes: 40,
  pool: 5,
  limit: 20,
  loginMs: 20,
  maxConnections: undefined,
  rolling: 0.25,
  failoverMs: 30_000,
  seed: 1,
}

/** Returns the outcome of one scenario with one limiter. */
function outcomeOf(of: Fleet, scenario: Scenario, limiter: Limiter): Outcome {
  const found = simulate(of).find((outcome) => outcome.scenario === scenario && outcome.limiter === limiter)
  if (found === undefined) throw new Error(`no outcome of ${scenario} with ${limiter}`)
  return found
}

describe('the simulation', () => {
  test('the fleet together: no more than the limit in any second, and nothing is rejected', () => {
    const { rejected, fullMs = 0, timeline } = outcomeOf(fleet, 'cold start', 'fleet')
    expect(rejected).toBe(0)
    // 200 logins at 20 a second: ten rounds of a second and of one login.
    expect(fullMs).toBeGreaterThan(9_000)
    expect(fullMs).toBeLessThan(11_000)
    for (const { atMs, open } of timeline) {
      const later = timeline.filter((point) => point.atMs >= atMs && point.atMs < atMs + 1_000)
      expect((later.at(-1)?.open ?? open) - open).toBeLessThanOrEqual(20)
    }
  })

  test('without a limiter: every second all that wait are offered, and all but the limit are rejected', () => {
    const { rejected } = outcomeOf(fleet, 'cold start', 'none')
    // 200 + 180 + … + 20 offered, 20 of each accepted.
    expect(rejected).toBe(180 + 160 + 140 + 120 + 100 + 80 + 60 + 40 + 20)
  })

  test('one for each process: each offers no more than its own limit', () => {
    const { rejected } = outcomeOf({ ...fleet, pool: 100, limit: 10 }, 'cold start', 'process')
    expect(rejected).toBeLessThan(
      outcomeOf({ ...fleet, pool: 100, limit: 10 }, 'cold start', 'none').rejected,
    )
  })

  test('a rolling deploy: a quarter more connections at most; less than that never completes', () => {
    expect(outcomeOf(fleet, 'rolling deploy', 'fleet').peakConnections).toBe(250)
    const { fullMs, firstMs } = outcomeOf({ ...fleet, maxConnections: 249 }, 'rolling deploy', 'fleet')
    expect([fullMs, firstMs]).toEqual([undefined, undefined])
  })

  test('a failover: the same as a cold start, after the time without logins', () => {
    const cold = outcomeOf(fleet, 'cold start', 'fleet').fullMs ?? 0
    expect(outcomeOf(fleet, 'failover', 'fleet').fullMs).toBe(cold + 30_000)
    expect(outcomeOf(fleet, 'failover', 'fleet').timeline[0]).toEqual({ atMs: 0, open: 0 })
  })

  test('the same seed: the same outcome; another seed: another outcome', () => {
    const outcome = outcomeOf(fleet, 'cold start', 'fleet')
    expect(outcomeOf(fleet, 'cold start', 'fleet')).toEqual(outcome)
    expect(outcomeOf({ ...fleet, seed: 2 }, 'cold start', 'fleet')).not.toEqual(outcome)
  })
})

test('the cold start fills a database that is too small: as many logins as it holds, and no end', () => {
  const small = { ...fleet, maxConnections: 150 }
  const { fullMs, peakConnections } = outcomeOf(small, 'cold start', 'none')
  expect([fullMs, peakConnections]).toEqual([undefined, 150])
})

test('the first connections: every process has one, and the last came at the reported time', () => {
  // One connection each: the last first connection is the last of all.
  const { firstMs, fullMs } = outcomeOf({ ...fleet, pool: 1 }, 'cold start', 'fleet')
  expect(firstMs).toBe(fullMs)
  // One process: its first connection is the first of all.
  const single = outcomeOf({ ...fleet, processes: 1, pool: 200 }, 'cold start', 'fleet')
  expect(single.firstMs).toBeLessThan(1_000)
})

test('100,000 processes with 10 connections: simulated', async () => {
  const { status, out } = await run(['plan', '--processes', '100000', '--limit', '200', '--json'])
  expect(status).toBe(0)
  const { outcomes } = JSON.parse(out)
  expect(outcomes).toHaveLength(9)
  expect(outcomes[2]).toMatchObject({ limiter: 'fleet', rejected: 0, peakConnections: 1_000_000 })
})

test.each(['--user', '--port', '--region', '--ca'])('%s without --host: refused', async (flag) => {
  const { status, out, error } = await run(['plan', '--processes', '10', flag, '3306'])
  expect({ status, out }).toEqual({ status: 2, out: '' })
  expect(error).toContain(`${flag}: without --host no database is asked`)
})

test('the table: it shows whether max_connections is enough; --svg writes a chart', async () => {
  const svg = pathOf('plan.svg')
  const args = ['plan', '--processes', '200', '--max-connections', '2200', '--svg', svg]
  const { status, out } = await run(args)
  expect(status).toBe(0)
  expect(out).toContain('max_connections 2200 holds: at most 2000 are open')
  expect(out).toContain('max_connections 2200 does not hold: 2500 are needed')
  const text = await readFile(svg, 'utf8')
  expect(text).toMatch(/^<svg .*<\/svg>\n$/s)
  expect(text.match(/stroke-width="2"/g)).toHaveLength(3)
  expect(text).not.toContain('NaN')
})

test.each([
  ['db.t2.micro', { limit: 10 }],
  ['db.r6g.large', { limit: 20, maxConnections: 1000 }],
  ['db.r8g.48xlarge', { maxConnections: 8000 }],
  ['db.t4g.medium', { maxConnections: 90 }],
  ['db.x2g.large', { maxConnections: 2000 }],
  ['db.serverless', { limit: 20 }],
])('--instance-class %s: the facts that the doctor knows too', async (name, facts) => {
  const { out } = await run(['plan', '--processes', '2', '--instance-class', name, '--json'])
  expect(JSON.parse(out).fleet).toMatchObject(facts)
})

test.each([
  [[], '--processes is missing'],
  [['--processes', '0'], '--processes: expected'],
  [['--processes', '2', '--rolling', '25'], '--rolling: expected'],
  [
    ['--processes', '2', '--instance-class', 'db.t3.small'],
    '--instance-class: db.t3.small has no IAM logins',
  ],
  [
    ['--processes', '1000000', '--pool', '1000'],
    '1000000 x 1000 is 1000000000 connections, and at most 10000000',
  ],
])('%j: exit status 2', async (args, said) => {
  const { status, error } = await run(['plan', ...args])
  expect(status).toBe(2)
  expect(error).toContain(said)
})
