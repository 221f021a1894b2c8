import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type ConnectFailedEvent, createAuroraIam, type PermitEvent } from '@aurora-iam/core'
import type { LocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { describe, expect, test } from 'vitest'
import { addressOf, VERSIONS } from './support.ts'

const aurora = await localAurora()

type Faults = Parameters<LocalAurora['faults']['set']>[0]

/** Ways in which a server ends a login, and the outcome that the limiter gets. */
const CAUSES: ReadonlyArray<readonly [cause: string, faults: Faults, outcome: 'failed' | 'throttled']> = [
  ['a certificate of another authority', { certificate: 'other-ca' }, 'failed'],
  ['a certificate for another name', { certificate: 'wrong-name' }, 'failed'],
  ['an expired certificate', { certificate: 'expired' }, 'failed'],
  ['a self-signed certificate', { certificate: 'self-signed' }, 'failed'],
  ['no TLS', { tls: 'absent' }, 'failed'],
  ['1040 in place of a greeting', { error: { errno: 1040, message: 'Too many connections' } }, 'throttled'],
  ['1129 in place of a greeting', { error: { errno: 1129, message: 'Host is blocked' } }, 'failed'],
  ['1130 in place of a greeting', { error: { errno: 1130, message: 'Host is not allowed' } }, 'failed'],
  ['a cut during TLS', { cutAfterBytes: 300 }, 'failed'],
  ['1045 to the token', { refuse: 'NotAuthorized' }, 'failed'],
]

// mysql2 reports the end of a handshake as of 3.22; before that some errors reach the caller alone.
describe.each(VERSIONS.slice(1))('$name', ({ promises }) => {
  test.each(CAUSES)(
    '%s: caller, event and statistics have one error, the limiter its kind',
    async (_cause, faults, outcome) => {
      const limiter = createRateLimiter({ limit: 20 })
      const iam = createAuroraIam({ ...aurora.iam, rateLimit: limiter })
      const events: ConnectFailedEvent[] = []
      const listen = (event: unknown) => events.push(event as ConnectFailedEvent)
      subscribe('aurora-iam:connect-failed', listen)
      const pool = promises.createPool(withAuroraIam({ ...addressOf(aurora), connectionLimit: 1 }, iam))
      aurora.faults.set(faults)
      const error = await rejectionOf(pool.query('SELECT 1'))
      await until(() => limiter.stats()[outcome] === 1)
      unsubscribe('aurora-iam:connect-failed', listen)
      await pool.end()
      expect(events).toHaveLength(1)
      expect(events[0]?.error).toBe(error)
      expect(iam.stats()).toMatchObject({
        connectionsFailed: 1,
        lastError: { code: error.code, message: error.message },
      })
      expect(limiter.stats()).toMatchObject({ [outcome]: 1, granted: 1, inFlight: 0 })
    },
  )
})

test('mysql2 3.15.3, 1040 in place of a greeting: throttling there too', async () => {
  const limiter = createRateLimiter({ limit: 20 })
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: limiter })
  aurora.faults.set({ error: { errno: 1040, message: 'Too many connections' } })
  const [oldest] = VERSIONS
  const connection = oldest!.promises.createConnection(withAuroraIam(addressOf(aurora), iam))
  const error = await rejectionOf(connection)
  await until(() => limiter.stats().throttled === 1)
  expect(iam.stats().lastError).toMatchObject({ code: error.code, message: error.message })
})

test('a lost permit: found from the events alone', async () => {
  const limiter = createRateLimiter({ limit: 20 })
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: limiter })
  const open = new Map<string, string>()
  const ended: Array<string | undefined> = []
  const onPermit = (event: unknown) => {
    const { type, id } = event as PermitEvent
    if (type === 'granted') open.set(id, type)
    else open.delete(id)
  }
  const onEnd = (event: unknown) => ended.push((event as ConnectFailedEvent).permitId)
  subscribe('aurora-iam:rate-limit:permit', onPermit)
  for (const name of ['connect', 'connect-failed']) subscribe(`aurora-iam:${name}`, onEnd)
  const { promises } = VERSIONS.at(-1)!
  const good = await promises.createConnection(withAuroraIam(addressOf(aurora), iam))
  await good.end()
  aurora.faults.set({ refuse: 'NotAuthorized' })
  await rejectionOf(promises.createConnection(withAuroraIam(addressOf(aurora), iam)))
  const lost = await limiter.acquire()
  unsubscribe('aurora-iam:rate-limit:permit', onPermit)
  for (const name of ['connect', 'connect-failed']) unsubscribe(`aurora-iam:${name}`, onEnd)
  expect([...open.keys()]).toEqual([lost.id])
  expect(new Set(ended).size).toBe(2)
  expect(ended).not.toContain(lost.id)
})
