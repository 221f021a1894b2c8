import { type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { warmUp, withAuroraIam } from '@aurora-iam/typeorm'
import { DataSource } from 'typeorm'
import { afterEach, expect, test } from 'vitest'

const aurora = await localAurora()
let dataSource: DataSource

/** The server's answer to a change after its demotion. */
const DEMOTED = `SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290,
  MESSAGE_TEXT = 'The MySQL server is running with the --read-only option so it cannot execute this statement'`

afterEach(async () => {
  if (dataSource.isInitialized) await dataSource.destroy()
})

test('1290 after a demotion: the error is unchanged, and no query gets a connection to that address', async () => {
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: { limit: 1_000 } })
  const { host, port, database } = aurora
  dataSource = new DataSource(
    withAuroraIam({ type: 'mysql', host, port, database, username: 'app', poolSize: 3 }, iam),
  )
  await dataSource.initialize()
  const idOf = async () =>
    (await dataSource.query('SELECT CONNECTION_ID() AS id, SLEEP(0.3)'))[0].id as number
  const before = await Promise.all([idOf(), idOf(), idOf()])
  const error = (await rejectionOf(dataSource.query(DEMOTED))) as Error & { driverError?: unknown }
  expect(error.driverError).toMatchObject({ errno: 1290 })
  expect(iam.stats().pools.map(({ retired }) => retired['read-only'])).not.toEqual([0])
  const after = await Promise.all([idOf(), idOf(), idOf()])
  expect(after.filter((id) => before.includes(id))).toEqual([])
})

function open(poolSize: number, iam: AuroraIamOptions = {}, username = 'app') {
  const { host, port, database } = aurora
  const options = { type: 'mysql' as const, host, port, database, username, poolSize }
  const shared = createAuroraIam({ ...aurora.iam, rateLimit: { limit: 1_000 }, ...iam })
  dataSource = new DataSource(withAuroraIam(options, shared))
  return shared
}

test('warmUp: that many connections are open, each reported, and queries open no other', async () => {
  const iam = open(5)
  await dataSource.initialize()
  const progress: string[] = []
  await warmUp(dataSource, 5, { onProgress: (opened, count) => progress.push(`${opened}/${count}`) })
  expect(progress).toEqual(['1/5', '2/5', '3/5', '4/5', '5/5'])
  await Promise.all(Array.from({ length: 10 }, () => dataSource.query('SELECT 1')))
  expect(iam.stats()).toMatchObject({ connectionsOpened: 5, pools: [{ open: 5, waiting: 0 }] })
})

test('warmUp before initialize(), of more than the pool holds, and where logins are rejected: it rejects with what failed', async () => {
  open(2)
  expect(await rejectionOf(warmUp(dataSource, 2))).toMatchObject({
    code: 'ERR_AURORA_IAM_INVALID_OPTION',
    message: expect.stringContaining('initialize()'),
  })
  await dataSource.initialize()
  expect(await rejectionOf(warmUp(dataSource, 3))).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION' })
  aurora.faults.set({ refuse: 'InternalError' })
  expect(await rejectionOf(warmUp(dataSource, 2))).toMatchObject({ code: 'ER_ACCESS_DENIED_ERROR' })
})
