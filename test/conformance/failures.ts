import { createAuroraIam } from '@aurora-iam/core'
import { describe, expect, test } from 'vitest'
import type { Suite } from './harness.ts'

/** Tests what the caller sees when a login fails, and that the pool is usable afterwards. */
export function failures({ harness, aurora, connect }: Suite): void {
  describe('failures', () => {
    test('a failing credential provider: an error with code and cause, and the pool recovers automatically', async () => {
      const outage = new Error('the role cannot be assumed')
      let isOut = true
      const credentials = async () => {
        if (isOut) throw outage
        return aurora().credentials
      }
      const attempt = () =>
        connect({ connectionLimit: 2 }, { ...aurora().iam, credentials, rateLimit: false }).then((client) =>
          client.query('SELECT 1 AS one'),
        )
      for (let i = 0; i < 10; i++) {
        const error = await attempt().catch((reason: unknown) => reason)
        expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE' })
        if (harness.capabilities.keepsErrors) {
          expect(error).toMatchObject({ retryable: true })
          expect((error as Error).cause).toBe(outage)
        }
      }
      expect(aurora().log.connections).toBe(0)
      isOut = false
      expect(await attempt()).toEqual([{ one: 1 }])
    })

    test('an outage of the credential provider: one pool survives it', async () => {
      let isOut = false
      const credentials = async () => {
        if (isOut) throw new Error('the metadata service is down')
        return { ...aurora().credentials, expiration: new Date(Date.now() + 60_000) }
      }
      let now = Date.now()
      const clock = () => now
      aurora().setClock(clock)
      const iam = createAuroraIam({ ...aurora().iam, credentials, clock, rateLimit: false })
      const client = await connect({ connectionLimit: 2 }, iam)
      const held = await client.hold()
      isOut = true
      now += 120_000
      const error = await client.query('SELECT 1').catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE' })
      expect(await held.query('SELECT 2 AS two')).toEqual([{ two: 2 }])
      isOut = false
      now = Date.now()
      expect(await client.query('SELECT 3 AS three')).toEqual([{ three: 3 }])
      await held.release()
    })

    test('a credential provider that never answers: a clear error in bounded time', async () => {
      const credentials = () => new Promise<never>(() => {})
      const iam = { ...aurora().iam, credentials, credentialsTimeoutMs: 100, rateLimit: false as const }
      const attempt = connect({}, iam).then((client) => client.query('SELECT 1'))
      await expect(attempt).rejects.toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_TIMEOUT' })
      expect(aurora().log.connections).toBe(0)
    })

    test('a rejection by the server: it reaches the caller unchanged, and the next login has a new token', async () => {
      const iam = createAuroraIam({ ...aurora().iam, rateLimit: false })
      aurora().faults.set({ refuse: 'NotAuthorized' })
      const attempt = () => connect({}, iam).then((client) => client.query('SELECT 1 AS one'))
      const { refused } = harness.errors ?? { refused: { code: 'ER_ACCESS_DENIED_ERROR', errno: 1045 } }
      await expect(attempt()).rejects.toMatchObject(refused)
      aurora().faults.clear()
      expect(await attempt()).toEqual([{ one: 1 }])
      expect(aurora().log.refusals[0]).toMatchObject({ reason: 'NotAuthorized' })
      expect(iam.stats()).toMatchObject({ tokensSigned: 2, connectionsOpened: 1 })
    })

    test('a server that stops answering: a time-out after connectTimeout', async () => {
      for (const hang of ['before-greeting', 'after-tls', 'after-token'] as const) {
        aurora().faults.set({ hang })
        const attempt = connect({ connectTimeout: 300 }).then((client) => client.query('SELECT 1'))
        await expect(attempt, hang).rejects.toMatchObject(harness.errors?.silent ?? { code: 'ETIMEDOUT' })
      }
    })
  })
}
