import { createAuroraIam } from '@aurora-iam/core'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { withAuroraIam } from '@aurora-iam/typeorm'
import { DataSource } from 'typeorm'
import { afterEach, expect, test } from 'vitest'

const aurora = await localAurora()
let dataSource: DataSource

/** The server's answer to a change after its demotion. */
const DEMOTED = `SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1290,
  MESSAGE_TEXT = 'The MySQL server is running with the --read-only option so it cannot execute this statement'`

afterEach(() => dataSource.destroy())

test('1290 after a demotion: the error is unchanged, and no query gets a connection to that address', async () => {
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: { limit: 1_000 } })
  const { host, port, database } = aurora
  dataSource = new DataSource(
    withAuroraIam({ type: 'mysql', host, port, database, username: 'app', poolSize: 3 }, iam),
  )
  await dataSource.initialize()
  const idOf = async () => (await dataSource.query('SELECT CONNECTION_ID() AS id'))[0].id as number
  const before = await Promise.all([idOf(), idOf(), idOf()])
  const error = (await rejectionOf(dataSource.query(DEMOTED))) as Error & { driverError?: unknown }
  expect(error.driverError).toMatchObject({ errno: 1290 })
  expect(iam.stats().pools.map(({ retired }) => retired['read-only'])).not.toEqual([0])
  const after = await Promise.all([idOf(), idOf(), idOf()])
  expect(after.filter((id) => before.includes(id))).toEqual([])
})
