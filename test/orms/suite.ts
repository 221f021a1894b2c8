import { type AuroraIam, createAuroraIam } from '@aurora-iam/core'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'

/** An ORM with a pool of three connections. */
interface Orm {
  query(sql: string): Promise<unknown>
  close(): Promise<unknown>
}

/**
 * Tests IAM in the pool of an ORM.
 *
 * @param unwrap - finds mysql2's error in what the ORM rejects with, where the README says that it is
 */
export function describeOrm(
  name: string,
  open: (address: { host: string; port: number; user: string }, iam: AuroraIam) => Orm,
  unwrap: (error: unknown) => unknown,
): void {
  describe(name, () => {
    const outage = new Error('the role cannot be assumed')
    let isOut = false
    let aurora: LocalAurora
    let iam: AuroraIam
    let orm: Orm

    beforeAll(async () => {
      aurora = await startLocalAurora({ throttle: false })
      return () => aurora.close()
    })

    beforeEach(() => {
      aurora.log.clear()
      const credentials = () => (isOut ? Promise.reject(outage) : Promise.resolve(aurora.credentials))
      iam = createAuroraIam({ ...aurora.iam, credentials, rateLimit: false })
      orm = open({ host: aurora.host, port: aurora.port, user: 'app' }, iam)
      return () => orm.close()
    })

    const failure = () => orm.query('SELECT 1').then(() => 'no failure', unwrap)

    test('connections after a token has expired: they log in with a new one', async () => {
      let now = Date.now()
      aurora.setClock(() => now)
      for (let connections = 1; connections <= 3; connections++) {
        await Promise.all(Array.from({ length: connections }, () => orm.query('SELECT SLEEP(0.1)')))
        now += 16 * 60_000
      }
      aurora.setClock(Date.now)
      expect(aurora.log.refusals).toEqual([])
      expect(aurora.log.fingerprints).toHaveLength(3)
    })

    test('a rejection by the server: its code is kept, and the next login has a new token', async () => {
      aurora.faults.set({ refuse: 'NotAuthorized' })
      expect(await failure()).toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR', errno: 1045 })
      aurora.faults.clear()
      await orm.query('SELECT 1')
      expect(iam.stats().tokensSigned).toBe(2)
    })

    test('an AuroraIamError: its code and its cause are kept', async () => {
      isOut = true
      const error = await failure()
      isOut = false
      expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE', cause: outage })
      await orm.query('SELECT 1')
    })
  })
}
