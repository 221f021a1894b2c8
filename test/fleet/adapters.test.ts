import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startLocalAurora } from '@aurora-iam/local'
import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { expect, onTestFinished, test } from 'vitest'

const fixtures = new URL('../fixtures/fleet/', import.meta.url)
const limit = 20
const loginsEach = 25

/** One process for each adapter. */
const fleet = readdirSync(new URL('adapters/', fixtures)).map((file) => file.replace(/\.mjs$/, ''))

test(`a process for each adapter (${fleet.join(', ')}): they storm one database through one Redis: never over the limit by its log, and no login is rejected`, async () => {
  const aurora = await startLocalAurora({ throttle: limit })
  onTestFinished(() => aurora.close())
  const redis = await RedisServer.start()
  onTestFinished(() => redis.close())
  const { host, port, region, ca, credentials, hostname } = aurora
  const iam = { hostname, region, ca, credentials }
  const place = { host, port, user: 'app', database: 'app', iam }
  const members = await Promise.all(
    fleet.map(async (adapter) => {
      const FLEET_SETTINGS = JSON.stringify({ adapter, redis: redis.port, limit, aurora: place })
      const child = fork(fileURLToPath(new URL('logins.mjs', fixtures)), {
        env: { ...process.env, NODE_ENV: 'production', FLEET_SETTINGS },
        execArgv: [],
      })
      onTestFinished(() => {
        child.kill('SIGKILL')
      })
      await once(child, 'message')
      return child
    }),
  )
  const reports = await Promise.all(
    members.map(async (child) => {
      child.send(loginsEach)
      const [report] = await once(child, 'message')
      return report as { errors: string[] }
    }),
  )
  expect(reports.flatMap(({ errors }) => errors)).toEqual([])
  expect(aurora.log.logins).toHaveLength(fleet.length * loginsEach)
  expect(aurora.log.refusals).toEqual([])
  expect(aurora.log.peakTokens(1000)).toBeLessThanOrEqual(limit)
})

test('each adapter: it has its part of the permits', () => {
  const packages = fileURLToPath(new URL('../../packages/', import.meta.url))
  const adapters = readdirSync(packages).filter((name) =>
    existsSync(`${packages}${name}/src/with-aurora-iam.ts`),
  )
  expect(fleet.toSorted()).toEqual([...adapters, 'prisma'].toSorted())
})
