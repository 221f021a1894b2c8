import { setTimeout as sleep } from 'node:timers/promises'
import { serverPrograms } from '@aurora-iam/test-support/redis-server'
import { describe, expect, test, vi } from 'vitest'
import { fairness, peakTokens } from './counting-server.ts'
import { intervalMs, limit, startFleet, welcomes } from './fleet-set-up.ts'

// Generous: they wait for processes, side by side.
vi.setConfig({ testTimeout: 120_000 })

test('the servers of this machine: the ones that are tested', () => {
  expect(serverPrograms).toContain('redis-server')
  if (!serverPrograms.includes('valkey-server')) {
    process.stderr.write('No valkey-server on the PATH: the fleet was tested on Redis alone.\n')
  }
})

describe.concurrent.each(serverPrograms)('%s', (program) => {
  test.for(['ioredis', 'node-redis'])(
    'four processes on %s: never over the limit as the server counts, all of it in one second, in equal parts',
    async (kind, { onTestFinished }) => {
      const { server, members } = await startFleet(onTestFinished, { size: 4, program, kind })
      const reports = await Promise.all(members.map((member) => member.run(30)))
      expect(reports.flatMap(({ answers }) => answers)).toEqual(welcomes(120))
      expect(peakTokens(server.logins, intervalMs)).toBe(limit)
      expect(fairness(server.logins.slice(0, 60))).toBeGreaterThan(0.9)
    },
  )
})

test.concurrent('a process that is killed: the others get its permits', async ({ onTestFinished }) => {
  const { server, members } = await startFleet(onTestFinished, { size: 3 })
  void members[0]!.run(100).catch(() => {})
  const others = Promise.all(members.slice(1).map((member) => member.run(50)))
  await sleep(2600)
  members[0]!.child.kill('SIGKILL')
  const killedAt = performance.now()
  const reports = await others
  expect(reports.flatMap(({ answers }) => answers)).toEqual(welcomes(100))
  expect(peakTokens(server.logins, intervalMs)).toBe(limit)
  // Half a second until its places lapse, and the interval for which they rest.
  const after = server.logins.filter(({ at }) => at > killedAt + 1700)
  // Without them it would be two thirds at most.
  expect(peakTokens(after, intervalMs)).toBeGreaterThan((2 / 3) * limit)
})

test.concurrent('a process that was frozen: the limit is not exceeded when it goes on', async ({
  onTestFinished,
}) => {
  const { server, members } = await startFleet(onTestFinished, { size: 3 })
  const all = Promise.all(members.map((member) => member.run(60)))
  await sleep(2300)
  members[0]!.child.kill('SIGSTOP')
  await sleep(5000)
  members[0]!.child.kill('SIGCONT')
  const reports = await all
  expect(reports.flatMap(({ answers }) => answers)).toEqual(welcomes(180))
  expect(peakTokens(server.logins, intervalMs)).toBe(limit)
})

test.concurrent('aborted requests: the others get their permits', async ({ onTestFinished }) => {
  const { server, members } = await startFleet(onTestFinished, { size: 2 })
  const reports = await Promise.all(members.map((member) => member.run(30, 40)))
  expect(reports.flatMap(({ answers }) => answers)).toEqual(welcomes(60))
  expect(peakTokens(server.logins, intervalMs)).toBe(limit)
})
