import { createAuroraIam } from '@aurora-iam/core'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { recordEvents } from '@aurora-iam/test-support/record-events'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { afterEach, describe, expect, test } from 'vitest'
import { auroraIamFor } from './support.ts'

const aurora = await localAurora()
afterEach(() => aurora.faults.clear())

interface Reported {
  readonly stage: string
  readonly error: Error & { readonly code?: string; readonly errno?: number }
}

const error = (errno: number) => ({ error: { errno, message: 'planted' } })

describe.each([
  ['a certificate of another authority', { certificate: 'other-ca' }, 'P1011', {}, 'failed'],
  [
    'a certificate for another name',
    { certificate: 'wrong-name' },
    'P1011',
    { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    'failed',
  ],
  ['an expired certificate', { certificate: 'expired' }, 'P1011', { code: 'CERT_HAS_EXPIRED' }, 'failed'],
  [
    'a self-signed certificate',
    { certificate: 'self-signed' },
    'P1011',
    { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    'failed',
  ],
  ['no TLS', { tls: 'absent' }, 'P1011', { code: 'ER_SERVER_SSL_DISABLED' }, 'failed'],
  ['1040 in place of the greeting', error(1040), 'P2037', { errno: 1040 }, 'throttled'],
  ['1129 in place of the greeting', error(1129), undefined, { errno: 1129 }, 'failed'],
  ['1130 in place of the greeting', error(1130), undefined, { errno: 1130 }, 'failed'],
  ['1045 to the token', { refuse: 'InvalidToken' }, 'P1000', { errno: 1045 }, 'failed'],
  ['a connection cut at once', { cutAfterBytes: 0 }, 'P1001', {}, 'cancelled'],
  ['a connection cut in the greeting', { cutAfterBytes: 20 }, 'P1001', {}, 'failed'],
  ['a connection cut during TLS', { cutAfterBytes: 500 }, 'P1001', {}, 'failed'],
  [
    'silence in place of the greeting',
    { hang: 'before-greeting' },
    'P1001',
    { code: 'ETIMEDOUT' },
    'cancelled',
  ],
  ['silence after TLS', { hang: 'after-tls' }, 'P1001', { code: 'ETIMEDOUT' }, 'failed'],
  ['silence after the token', { hang: 'after-token' }, 'P1001', { code: 'ETIMEDOUT' }, 'failed'],
] as const)('%s', (_cause, fault, code, driverError, outcome) => {
  test('a failed login: reported once, with the driver’s error, to the caller, the event, stats() and the limiter', async () => {
    const events = recordEvents<Reported>('aurora-iam:connect-failed')
    const rateLimit = createRateLimiter({ limit: 100 })
    const iam = createAuroraIam({ ...aurora.iam, rateLimit })
    const { adapter, status } = auroraIamFor(aurora, 'hang' in fault ? { connectTimeoutMs: 500 } : {}, iam)
    aurora.faults.set(fault)
    const rejected = await rejectionOf(adapter.connect())
    if (code) expect(rejected).toMatchObject({ code, driverError })
    else expect(rejected).toMatchObject(driverError)
    const { error: reported, stage } = events[0] as Reported
    expect([events.length, stage]).toEqual([1, 'login'])
    expect(reported).toBe(code ? rejected.driverError : rejected)
    const failure = { connectionsOpened: 0, connectionsFailed: 1, lastError: { code: reported.code } }
    expect(iam.stats()).toMatchObject(failure)
    expect(status()).toMatchObject(failure)
    expect(rateLimit.stats()).toMatchObject({ granted: 1, inFlight: 0, [outcome]: 1, succeeded: 0 })
  })
})

test('a client that is closed during a login: the login is reported once, as aborted', async () => {
  const events = recordEvents<Reported>('aurora-iam:connect-failed')
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: createRateLimiter({ limit: 100 }) })
  const { adapter } = auroraIamFor(aurora, {}, iam)
  const connected = await adapter.connect()
  const held = await connected.startTransaction()
  aurora.faults.set({ hang: 'after-token' })
  const query = rejectionOf(connected.queryRaw({ sql: 'SELECT 1', args: [], argTypes: [] }))
  await until(() => aurora.log.tokensReceived === 2)
  await held.rollback()
  await connected.dispose()
  expect((await query).code).toMatch(/^ERR_AURORA_IAM_/)
  expect(events).toHaveLength(1)
  expect(iam.stats()).toMatchObject({ connectionsOpened: 1, connectionsFailed: 1 })
})

test('dial as a function: called once for a connection, and messages name its address', async () => {
  const dialled: string[] = []
  const hosts = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4']
  const dial = () => {
    const host = hosts[dialled.length % hosts.length] as string
    dialled.push(host)
    return { host, port: 1 }
  }
  const iam = createAuroraIam({ ...aurora.iam, dial, rateLimit: false })
  const { adapter } = auroraIamFor(aurora, {}, iam)
  expect(dialled).toEqual([])
  for (const host of hosts) {
    const rejected = await rejectionOf(adapter.connect())
    expect(rejected).toMatchObject({ code: 'P1001', message: expect.stringContaining(`${host}:1`) })
  }
  expect(dialled).toEqual(hosts)
})
