import { type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { until } from '@aurora-iam/test-support/until'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AdapterHarness, Client, HeldConnection } from '../conformance/harness.ts'
import { ADAPTERS, ON_OLDEST } from './adapters.ts'
import { refusedBy } from './setting.ts'

const FIRST = { accessKeyId: 'AKIDFIRST', secretAccessKey: 'first' }
const SECOND = { accessKeyId: 'AKIDSECOND', secretAccessKey: 'second' }
const UNKNOWN = { accessKeyId: 'AKIDUNKNOWN', secretAccessKey: 'unknown' }

const aurora = await localAurora()
const clients: Client[] = []
const inUse: HeldConnection[] = []

beforeEach(() => {
  // Knex prints each connection that failed.
  vi.spyOn(console, 'log').mockImplementation(() => {})
  aurora.principals.add(FIRST)
  aurora.principals.add(SECOND)
})

afterEach(async () => {
  vi.restoreAllMocks()
  // Knex closes a pool only when nothing is in use.
  for (const connection of inUse.splice(0)) await connection.release()
  await Promise.allSettled(clients.splice(0).map((client) => client.close()))
})

/** Opens a client of at most `connectionLimit` connections. Returns it with its AuroraIam. */
async function open(
  harness: AdapterHarness,
  { isRetrying, connectionLimit = 11, ...iamOptions }: OpenOptions,
) {
  const iam = createAuroraIam({
    ...aurora.iam,
    rateLimit: createRateLimiter({ limit: 1_000 }),
    retryRejectedLogins: isRetrying,
    ...iamOptions,
  })
  const { host, port, database } = aurora
  const options = harness.options({ host, port, user: 'app', database, connectionLimit }, iam)
  const client = await (isRetrying && harness.openRetrying
    ? harness.openRetrying(options, iam)
    : harness.open(options))
  clients.push(client)
  return { client, iam }
}

interface OpenOptions extends AuroraIamOptions {
  readonly isRetrying: boolean
  readonly connectionLimit?: number
}

/**
 * Opens a client with one connection in use, then deletes its key. Its credential provider returns `next` from now on.
 */
async function withDeletedKey(harness: AdapterHarness, isRetrying: boolean, next: typeof FIRST) {
  let current = FIRST
  const opened = await open(harness, { isRetrying, credentials: async () => current })
  inUse.push(await opened.client.hold())
  aurora.principals.remove(FIRST.accessKeyId)
  current = next
  aurora.log.clear()
  // So that the tokens of all are at the server before the first is refused, unless the machine is slow.
  aurora.faults.set({ authDelayMs: 50 })
  return opened
}

/**
 * Takes `count` connections out of the pool at once: returns how many were established, and the errors of the others.
 */
async function holdAtOnce(client: Client, count: number) {
  const results = await Promise.allSettled(Array.from({ length: count }, () => client.hold()))
  const held = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value)
  inUse.push(...held)
  return {
    held: held.length,
    errors: results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown),
  }
}

describe.each([...ADAPTERS, ...ON_OLDEST])('rejected logins of $name', (harness) => {
  const modes = harness.capabilities.retriesLogins ? [true] : [false, true]
  const refused = refusedBy(harness)

  if (!harness.capabilities.retriesLogins)
    test('a key is deleted: without retry the connections in flight fail, each with the error of the server, and the next are right', async () => {
      const { client } = await withDeletedKey(harness, false, SECOND)
      const { held, errors } = await holdAtOnce(client, 10)
      for (const error of errors) expect(error).toMatchObject(refused)
      expect(errors.length).toBeGreaterThan(0)
      expect(held + errors.length).toBe(10)
      expect(aurora.log.refusals).toHaveLength(errors.length)
      expect((await holdAtOnce(client, errors.length)).errors).toEqual([])
      expect(aurora.log.refusals).toHaveLength(errors.length)
    })

  test('a key is deleted: with retry all ten are accepted, with one repetition each at most', async () => {
    const { client } = await withDeletedKey(harness, true, SECOND)
    expect((await holdAtOnce(client, 10)).errors).toEqual([])
    expect(aurora.log.logins).toHaveLength(10)
    expect(aurora.log.refusals.length).toBeGreaterThan(0)
    expect(aurora.log.refusals.length).toBeLessThanOrEqual(10)
    expect(aurora.log.connections).toBe(10 + aurora.log.refusals.length)
  })

  test.each(modes)(
    'a permission is missing: ten connections cost ten logins, and one more with retry: %s',
    async (isRetrying) => {
      const { client } = await withDeletedKey(harness, isRetrying, UNKNOWN)
      const { errors } = await holdAtOnce(client, 10)
      expect(errors).toHaveLength(10)
      for (const error of errors) expect(error).toMatchObject(refused)
      expect(aurora.log.connections).toBe(isRetrying ? 11 : 10)
      expect(aurora.log.refusals).toHaveLength(isRetrying ? 11 : 10)
    },
  )

  test.each(modes)(
    'a new token is rejected: one login, and the error lists what to check; retry: %s',
    async (isRetrying) => {
      aurora.faults.set({ refuse: 'NotAuthorized' })
      const error = await open(harness, { isRetrying })
        .then(({ client }) => client.query('SELECT 1'))
        .catch((reason: unknown) => reason)
      expect(error).toMatchObject(refused)
      if (harness.capabilities.keepsErrors) {
        expect(error).toMatchObject({ cause: { code: 'ERR_AURORA_IAM_ACCESS_DENIED' } })
      }
      expect(aurora.log.connections).toBe(1)
    },
  )
})

describe.each(ADAPTERS)('a server that throttles logins of $name', (harness) => {
  test('a server that throttles: logins slow down to its rate, stats() reports it, and they speed up again', async () => {
    const rateLimit = createRateLimiter({ limit: 16, intervalMs: 250, recoveryIntervalMs: 600 })
    const { client, iam } = await open(harness, { isRetrying: true, connectionLimit: 17, rateLimit })
    inUse.push(await client.hold())
    aurora.setThrottle({ limit: 4, intervalMs: 250 })
    const limits: number[] = []
    while (inUse.length < 17) {
      await holdAtOnce(client, 17 - inUse.length)
      limits.push(stats().effectiveLimit)
    }
    expect(stats().throttled).toBeGreaterThan(0)
    expect(stats()).toMatchObject({ limit: 16, expired: 0 })
    // Halved at each burst that was refused: 16, 8, 4.
    const lowest = Math.min(...limits)
    expect(lowest).toBeLessThanOrEqual(8)
    for (const { reason } of aurora.log.refusals) expect(reason).toBe('ThrottlingException')
    aurora.setThrottle(false)
    await until(() => stats().effectiveLimit > lowest)

    function stats() {
      return iam.stats().rateLimits[`${aurora.hostname}:${aurora.port}`]!
    }
  })
})
