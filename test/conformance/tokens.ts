import { createAuroraIam } from '@aurora-iam/core'
import { describe, expect, test } from 'vitest'
import type { Client, Suite } from './harness.ts'

const MINUTE_MS = 60_000

/** Tests when tokens are signed, for what, and how many. */
export function tokens({ harness, aurora, connect, address, atOnce }: Suite): void {
  describe('tokens', () => {
    const newIam = () => createAuroraIam({ ...aurora().iam, rateLimit: false })

    test('no query yet: no token is signed and no connection opened', async () => {
      const iam = newIam()
      harness.options(address(), iam)
      expect(iam.stats()).toMatchObject({ tokensSigned: 0, credentialsResolved: 0 })
      expect(aurora().log.connections).toBe(0)

      await connect({}, iam)
      const atOpening = harness.capabilities.connectsWhenOpened ? 1 : 0
      expect(aurora().log.connections).toBe(atOpening)
      expect(iam.stats().tokensSigned).toBe(atOpening)
    })

    test('a connection that is used again: no token is needed', async () => {
      const iam = newIam()
      const client = await connect({ connectionLimit: 1 }, iam)
      for (let i = 0; i < 10; i++) await client.query('SELECT 1')
      expect(aurora().log.logins.length).toBe(1)
      expect(iam.stats().tokensSigned).toBe(1)
    })

    test(`${atOnce} connections at once: one signing and one call of the credential provider`, {
      // A busy machine may take longer over so many than a single one may.
      timeout: 120_000,
    }, async () => {
      const iam = newIam()
      const client = await connect({ connectionLimit: atOnce, connectTimeout: 100_000 }, iam)
      await holdAll(client, atOnce)
      expect(aurora().log.logins.length).toBe(atOnce)
      expect(aurora().log.refusals).toHaveLength(0)
      expect(aurora().log.fingerprints.length).toBe(1)
      expect(iam.stats()).toMatchObject({ tokensSigned: 1, credentialsResolved: 1 })
    })

    test('a connection after the token has expired: it gets a new one', async () => {
      let now = Date.now()
      const clock = () => now
      aurora().setClock(clock)
      const iam = createAuroraIam({ ...aurora().iam, clock, rateLimit: false })
      const client = await connect({ connectionLimit: 3 }, iam)
      for (let life = 1; life <= 3; life++) {
        await holdAll(client, life)
        now += 16 * MINUTE_MS
      }
      expect(aurora().log.logins.length).toBe(3)
      expect(aurora().log.refusals).toHaveLength(0)
      expect(aurora().log.fingerprints.length).toBe(3)
      expect(iam.stats().tokensSigned).toBe(3)
    })

    test('a token: signed for the host, the port and the user of the connection', async () => {
      const client = await connect()
      await client.query('SELECT 1')
      const [login] = aurora().log.logins
      expect(login).toMatchObject({ user: 'app', hostname: aurora().hostname, port: aurora().port })
    })

    test('the database takes part: what is written is read back', async () => {
      const client = await connect()
      await client.query('CREATE TABLE IF NOT EXISTS conformance (id INT PRIMARY KEY, note VARCHAR(20))')
      await client.query("REPLACE INTO conformance VALUES (1, 'kept')")
      expect(await client.query('SELECT note FROM conformance WHERE id = 1')).toEqual([{ note: 'kept' }])
    })
  })
}

/** Takes `count` connections out of the pool at once, so that they must all exist, and gives them back. */
async function holdAll(client: Client, count: number): Promise<void> {
  const held = await Promise.all(Array.from({ length: count }, () => client.hold()))
  await Promise.all(held.map((connection) => connection.release()))
}
