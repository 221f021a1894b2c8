import { setTimeout as sleep } from 'node:timers/promises'
import { startDelayingProxy } from '@aurora-iam/test-support/proxy'
import { expect, test, vi } from 'vitest'
import { peakTokens } from './counting-server.ts'
import { type AtEnd, type FleetSettings, intervalMs, limit, startFleet, welcomes } from './fleet-set-up.ts'

// Generous: they wait for processes, side by side.
vi.setConfig({ testTimeout: 120_000 })

const clients = ['ioredis', 'node-redis']

async function storm(atEnd: AtEnd, settings: Partial<FleetSettings>, attempts: number) {
  const fleet = await startFleet(atEnd, { size: 3, ...settings })
  const reports = Promise.all(fleet.members.map((member) => member.run(attempts)))
  // A new key grants nothing for two and a half seconds; then each process learns its share.
  await sleep(4500)
  return { ...fleet, reports }
}

test.concurrent.for(clients)(
  'Redis killed and started again, empty, on %s: each goes on with its share, and nothing overruns at any time',
  async (kind, { onTestFinished }) => {
    const { redis, server, reports } = await storm(onTestFinished, { kind }, 55)
    await redis.kill()
    const lostAt = performance.now()
    await sleep(6500)
    const alone = server.logins.filter(({ at }) => at > lostAt + 3500).length
    await redis.up()
    const answers = (await reports).flatMap((report) => report.answers)
    expect(answers).toEqual(welcomes(165))
    expect(peakTokens(server.logins, intervalMs)).toBeLessThanOrEqual(limit)
    expect(alone).toBeGreaterThanOrEqual(18)
  },
)

test.concurrent('Redis killed and at once started again, empty: nothing overruns', async ({
  onTestFinished,
}) => {
  const { redis, server, reports } = await storm(onTestFinished, {}, 30)
  await redis.kill()
  await redis.up()
  expect((await reports).flatMap(({ answers }) => answers)).toEqual(welcomes(90))
  expect(peakTokens(server.logins, intervalMs)).toBeLessThanOrEqual(limit)
})

test.concurrent.for(clients)(
  'Redis stopped for a while, on %s: nothing overruns, before or after',
  async (kind, { onTestFinished }) => {
    const { redis, server, reports } = await storm(onTestFinished, { kind }, 30)
    redis.signal('SIGSTOP')
    await sleep(3500)
    redis.signal('SIGCONT')
    expect((await reports).flatMap(({ answers }) => answers)).toEqual(welcomes(90))
    expect(peakTokens(server.logins, intervalMs)).toBeLessThanOrEqual(limit)
  },
)

test.concurrent('closed: nothing is granted while Redis is lost', async ({ onTestFinished }) => {
  const { redis, server, reports } = await storm(
    onTestFinished,
    { options: { onStoreLost: 'fail-closed', maxWaitMs: 9000 } },
    90,
  )
  await redis.kill()
  await sleep(1000)
  const before = server.logins.length
  await sleep(1500)
  expect(server.logins.length).toBe(before)
  expect((await reports).flatMap(({ answers }) => answers)).toContain('ERR_RATE_LIMIT_STORE_LOST')
})

test.concurrent('scripts flushed and data flushed in the middle: nothing overruns', async ({
  onTestFinished,
}) => {
  const { redis, server, reports } = await storm(onTestFinished, {}, 30)
  await redis.command('SCRIPT', 'FLUSH')
  await sleep(300)
  await redis.command('FLUSHALL')
  expect((await reports).flatMap(({ answers }) => answers)).toEqual(welcomes(90))
  expect(peakTokens(server.logins, intervalMs)).toBeLessThanOrEqual(limit)
})

test.concurrent.for(clients)(
  'Redis 200 ms away, on %s: nothing overruns, and every request ends',
  async (kind, { onTestFinished }) => {
    const { server, reports } = await storm(
      onTestFinished,
      {
        kind,
        ports: async ({ port }, atEnd) => {
          const proxy = await startDelayingProxy(port, 100)
          atEnd(async () => proxy[Symbol.asyncDispose]())
          return [proxy.port]
        },
      },
      25,
    )
    expect((await reports).flatMap(({ answers }) => answers)).toEqual(welcomes(75))
    expect(peakTokens(server.logins, intervalMs)).toBeLessThanOrEqual(limit)
  },
)
