import { createAuroraIam } from '@aurora-iam/core'
import { auroraIamConnection } from '@aurora-iam/knex'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import knex, { type Knex } from 'knex'
import { beforeEach, describe, expect, test } from 'vitest'
import { connectionTo, opener, VERSIONS } from './support.ts'

const MINUTE_MS = 60_000

const aurora = await localAurora()
let now: number

beforeEach(() => {
  now = Date.now()
  aurora.setClock(() => now)
})

const open = opener(() => aurora)

/** Runs three queries at once: a pool of three has all its connections in use. */
function burst(db: Knex): Promise<unknown> {
  return Promise.all([1, 2, 3].map(() => db.raw('SELECT SLEEP(0.005)')))
}

describe.each(VERSIONS)('$name over the life of its tokens', ({ makeKnex }) => {
  test('a hundred lifetimes of a token: the pool keeps its healthy connections', async () => {
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: false })
    const db = open(makeKnex, iam, { pool: { max: 3 } })
    for (let life = 0; life < 100; life++) {
      await burst(db)
      now += 16 * MINUTE_MS
    }
    expect(aurora.log.connections).toBe(3)
    expect([...aurora.log].filter(({ type }) => type === 'closed')).toEqual([])
    expect(aurora.openConnections).toBe(3)
    expect(iam.stats().tokensSigned).toBe(1)
  })

  test('a pool that grows while tokens age: each login has a valid token', async () => {
    const iam = createAuroraIam({ ...aurora.iam, rateLimit: false })
    const db = open(makeKnex, iam, { pool: { max: 5, idleTimeoutMillis: 1, reapIntervalMillis: 5 } })
    const worker = async () => {
      for (let i = 0; i < 20; i++) {
        now += MINUTE_MS
        await db.raw('SELECT SLEEP(0.002)')
        // Long enough for the connection to be idle, and closed.
        if (i % 4 === 3) await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    await Promise.all([1, 2, 3, 4, 5].map(worker))
    expect(aurora.log.refusals).toEqual([])
    expect(aurora.log.fingerprints.length).toBeGreaterThan(3)
  })
})

test('an expirationChecker: Knex would close its healthy connections, so it is refused', async () => {
  const settings = auroraIamConnection(connectionTo(aurora), { ...aurora.iam, rateLimit: false })
  const connection = () => {
    const expiresAt = now + 15 * MINUTE_MS
    return { ...settings, expirationChecker: () => now >= expiresAt }
  }
  const db = knex({ client: 'mysql2', connection, pool: { min: 0, max: 3 } })
  for (let life = 0; life < 3; life++) {
    await burst(db)
    now += 16 * MINUTE_MS
  }
  expect(aurora.log.connections).toBeGreaterThan(3)
  await db.destroy()
})
