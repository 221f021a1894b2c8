import type { FaultSettings } from '@aurora-iam/local'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { describe, expect, test } from 'vitest'
import { clientFor } from './support.ts'

const aurora = await localAurora()

// What the greeting says is not authenticated: mariadb 3.4.5, which the stock adapter brings, believes it.
const GREETINGS = [
  ['as Aurora does', {}],
  ['as a MariaDB', { greeting: 'mariadb' }],
  ['and names mysql_clear_password at once', { greeting: 'clear-password' }],
  ['as a MariaDB that names mysql_clear_password', { greeting: 'mariadb-clear-password' }],
  ['and names caching_sha2_password', { greeting: 'caching-sha2' }],
] as const
const IMPOSTORS = [
  ['a self-signed certificate', { certificate: 'self-signed' }],
  ['a certificate for another name', { certificate: 'wrong-name' }],
  ['a certificate of another authority', { certificate: 'other-ca' }],
  ['an expired certificate', { certificate: 'expired' }],
  ['no TLS', { tls: 'absent' }],
] as const

describe.each(GREETINGS)('a server that greets %s', (_how, greeting) => {
  test.each(IMPOSTORS)('a server that has %s: it gets no token', async (_what, fault) => {
    const faults: FaultSettings = { ...greeting, ...fault }
    aurora.faults.set(faults)
    const prisma = clientFor(aurora)
    expect(await rejectionOf(prisma.$connect())).toMatchObject({ code: 'P1011' })
    expect(aurora.log.connections).toBe(1)
    expect(aurora.log.tokensReceived).toBe(0)
    await prisma.$disconnect()
  })

  test('a certificate for the address that is dialled, not for the name that is signed: no token', async () => {
    aurora.faults.set(greeting)
    const hostname = 'other.cluster-c0local0aur0.us-east-1.rds.amazonaws.com'
    const prisma = clientFor(aurora, {}, { ...aurora.iam, hostname, rateLimit: false })
    expect(await rejectionOf(prisma.$connect())).toMatchObject({ code: 'P1011' })
    expect(aurora.log.tokensReceived).toBe(0)
  })

  test('a server that proves its name: the client logs in', async () => {
    aurora.faults.set(greeting)
    const prisma = clientFor(aurora)
    await prisma.$connect()
    expect(aurora.log.logins).toHaveLength(1)
    await prisma.$disconnect()
  })
})
