import dns from 'node:dns'
import { createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { withAuroraIam as withTypeormIam } from '@aurora-iam/typeorm'
import mysql from 'mysql2/promise'
import { DataSource } from 'typeorm'
import { afterEach, expect, test, vi } from 'vitest'

const LONGEST_TIMER_MS = 2 ** 31 - 1
const aurora = await localAurora()

afterEach(() => {
  vi.restoreAllMocks()
})

const address = () => ({ host: aurora.hostname, user: 'app', database: aurora.database })
const settings = () => {
  const { region, ca, credentials, host, port } = aurora
  return { region, ca, credentials, dial: { host, port }, port }
}

test.each([
  ['connectTimeout 1e12', { connectTimeout: 1e12 }, {}],
  ['maxWaitMs at its maximum', {}, { maxWaitMs: LONGEST_TIMER_MS }],
])('%s: a connection is established', async (_title, options, iam) => {
  const connection = await mysql.createConnection(
    withAuroraIam({ ...address(), ...options }, { ...settings(), ...iam }),
  )
  expect((await connection.query('SELECT 1 AS one'))[0]).toEqual([{ one: 1 }])
  await connection.end()
})

test('TypeORM with maxWaitMs at its maximum: a connection is established', async () => {
  const { user: username, ...rest } = address()
  const iam = { ...settings(), maxWaitMs: LONGEST_TIMER_MS }
  const dataSource = new DataSource(withTypeormIam({ type: 'mysql', username, ...rest }, iam))
  await dataSource.initialize()
  expect(await dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  await dataSource.destroy()
})

test('a name that moves to a healthy host while a TCP connection hangs: the next attempt reaches it', async () => {
  const lookups = vi.spyOn(dns, 'lookup').mockImplementation(((
    _name: string,
    { all }: { all?: boolean },
    found: (...answer: unknown[]) => void,
  ) => {
    // The first attempt gets no further.
    if (lookups.mock.calls.length === 1) return
    if (all) found(null, [{ address: aurora.host, family: 4 }])
    else found(null, aurora.host, 4)
  }) as never)
  const iam = createAuroraIam({
    ...settings(),
    dial: { host: 'moved.test', port: aurora.port },
    tcpTimeoutMs: 100,
  })
  // The limit of the login would let an hour pass.
  const pool = mysql.createPool(withAuroraIam({ ...address(), connectTimeout: 3_600_000 }, iam))
  expect(await rejectionOf(pool.query('SELECT 1'))).toMatchObject({
    code: 'ETIMEDOUT',
    message: `connect ETIMEDOUT moved.test:${aurora.port}: no TCP connection within 100 ms (\`tcpTimeoutMs\`)`,
  })
  expect((await pool.query('SELECT 1 AS one'))[0]).toEqual([{ one: 1 }])
  await pool.end()
})
