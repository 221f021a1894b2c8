import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { SECRET, SESSION } from '@aurora-iam/test-support/example-credentials'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { serveSts } from '@aurora-iam/test-support/sts'
import { until } from '@aurora-iam/test-support/until'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ADAPTERS } from './adapters.ts'
import { opener, refusedBy } from './setting.ts'

const MINUTE_MS = 60_000

/** This machine's clock, and what the database finds wrong with the tokens that are signed by it. */
const WRONG = [
  ['fast', 20 * MINUTE_MS, 'InvalidToken', 'forward', 'ahead of'],
  ['slow', -20 * MINUTE_MS, 'ExpiredToken', 'back', 'behind'],
] as const

const aurora = await localAurora({ users: ['app', 'reporting'] })
let folder: string | undefined

afterEach(async () => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  if (folder) await rm(folder, { recursive: true })
  folder = undefined
})

/** Stubs a role that is assumed with a web identity, of an STS and a database whose clocks are right. */
async function withWebIdentity(): Promise<AuroraIamOptions> {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined)
  folder = await mkdtemp(join(tmpdir(), 'aurora-iam-chaos-'))
  await writeFile(join(folder, 'jwt'), 'jwt')
  vi.stubEnv('AWS_ENDPOINT_URL_STS', await serveSts(() => ({ accessKeyId: 'AKIDROLE' })))
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'jwt'))
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::123456789012:role/app')
  vi.stubEnv('AWS_REGION', aurora.region)
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true')
  aurora.principals.add({ accessKeyId: 'AKIDROLE', secretAccessKey: SECRET, sessionToken: SESSION })
  const { credentials: _, ...iam } = aurora.iam
  return iam
}

describe.each(ADAPTERS)('the clock of a machine with $name', (harness) => {
  const connect = opener(harness, aurora)
  const { keepsErrors } = harness.capabilities

  /** Returns the message of the cause of the error that a request for a connection ends with. */
  async function refusal(attempt: Promise<unknown>): Promise<string> {
    const error = await rejectionOf(attempt)
    expect(error).toMatchObject(refusedBy(harness))
    if (keepsErrors) expect(error.cause).toMatchObject({ code: 'ERR_AURORA_IAM_ACCESS_DENIED' })
    return (error.cause as Error | undefined)?.message ?? ''
  }

  test.each(WRONG)(
    '20 minutes %s from the start: 1045, and the cause names the clock',
    async (_what, by, reason) => {
      const clock = () => Date.now() + by
      const iam = createAuroraIam({ ...aurora.iam, clock, rateLimit: false })
      const attempt = (user: string) =>
        refusal(connect(iam, { user }).then((client) => client.query('SELECT 1')))
      const alone = await attempt('app')
      // A second user makes it likelier that it is the clock, which is what both have in common.
      const both = await attempt('reporting')
      if (keepsErrors) {
        expect(alone).toMatch(/\(7\) the clock of this machine, which shows /)
        expect(both).toMatch(
          /\(1\) the clock of this machine, which shows .*probably one that they have in common/,
        )
      }
      expect(aurora.log.refusals[0]).toMatchObject({ reason })
    },
  )

  test.each(WRONG)(
    '20 minutes %s, with a role from STS: the cause has the difference',
    async (_what, by, reason, _direction, compared) => {
      const clock = () => Date.now() + by
      const iam = createAuroraIam({ ...(await withWebIdentity()), clock, rateLimit: false })
      const said = await refusal(connect(iam).then((client) => client.query('SELECT 1')))
      if (keepsErrors) expect(said).toMatch(new RegExp(`\\(1\\) .*20 min ${compared} that of AWS STS`))
      expect(aurora.log.refusals).toMatchObject([{ reason }])
    },
  )

  test.each(WRONG)(
    'set 20 minutes %s while the pool works: open connections go on, the cause names it, and logins work once it is right',
    async (_what, by, reason, direction) => {
      let aheadMs = 0
      const clock = () => Date.now() + aheadMs
      const iam = createAuroraIam({ ...aurora.iam, clock, rateLimit: false })
      const client = await connect(iam)
      const held = await client.hold()
      aheadMs = by
      const said = await refusal(client.query('SELECT 1'))
      if (keepsErrors)
        expect(said).toMatch(new RegExp(`\\(1\\) .*was set ${direction} by 20 min since a login`))
      expect(await held.query('SELECT 2 AS two')).toEqual([{ two: 2 }])
      aheadMs = 0
      expect(await client.query('SELECT 3 AS three')).toEqual([{ three: 3 }])
      await held.release()
      expect(aurora.log.refusals).toMatchObject([{ reason }])
    },
  )

  describe.each([
    ['forward', 60 * MINUTE_MS],
    ['back', -60 * MINUTE_MS],
  ])('set an hour %s while a connection waits for its permit', (_what, by) => {
    const jump = () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + by })

    test('the clock is set: the permit is granted in its time', async () => {
      const rateLimit = createRateLimiter({ limit: 1, intervalMs: 300 })
      const client = await connect({ ...aurora.iam, rateLimit, maxWaitMs: 20_000 })
      const first = await client.hold()
      const waiting = client.hold()
      await until(() => rateLimit.stats().waiting === 1)
      jump()
      const second = await waiting
      expect(await second.query('SELECT 2 AS two')).toEqual([{ two: 2 }])
      await first.release()
      await second.release()
    })

    test('the clock is set and the limit is in use: the permit comes no sooner, and the wait ends in its time', async () => {
      const rateLimit = createRateLimiter({ limit: 1, intervalMs: 60_000 })
      const client = await connect({ ...aurora.iam, rateLimit, maxWaitMs: 300 })
      const held = await client.hold()
      const start = performance.now()
      const waiting = rejectionOf(client.hold())
      await until(() => rateLimit.stats().waiting === 1)
      jump()
      // Any request makes the limiter look at the time.
      await expect(rateLimit.acquire({ timeoutMs: 0 })).rejects.toMatchObject({
        code: 'ERR_RATE_LIMIT_TIMEOUT',
      })
      expect(await waiting).toMatchObject({ code: 'ERR_AURORA_IAM_RATE_LIMITED' })
      expect(performance.now() - start).toBeGreaterThan(290)
      expect(performance.now() - start).toBeLessThan(20_000)
      await held.release()
    })
  })
})
