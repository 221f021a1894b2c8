import { createAuroraIam } from '@aurora-iam/core'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { type MysqlDataSourceOptions, withAuroraIam } from '@aurora-iam/typeorm'
import type { DataSource, DataSourceOptions, QueryRunner } from 'typeorm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addressOf, VERSIONS } from './support.ts'

const FIRST = { accessKeyId: 'AKIDFIRST', secretAccessKey: 'first' }
const SECOND = { accessKeyId: 'AKIDSECOND', secretAccessKey: 'second' }
const UNKNOWN = { accessKeyId: 'AKIDUNKNOWN', secretAccessKey: 'unknown' }

const aurora = await localAurora()
const opened: DataSource[] = []
const inUse: QueryRunner[] = []

beforeEach(() => {
  aurora.principals.add(FIRST)
  aurora.principals.add(SECOND)
})

afterEach(async () => {
  for (const runner of inUse.splice(0)) await runner.release()
  for (const dataSource of opened.splice(0)) await dataSource.destroy()
})

// retryRejectedLogins leaves a cluster of pools to mysql2, which itself tries a failed login again.
describe.each(VERSIONS)('rejected logins of $name with replication', ({ open }) => {
  /** Opens a DataSource with a connection to the writer in use, by a key that is deleted now. */
  async function withDeletedKey(next: typeof FIRST): Promise<DataSource> {
    let current = FIRST
    const iam = createAuroraIam({
      ...aurora.iam,
      credentials: async () => current,
      rateLimit: { limit: 1_000 },
      retryRejectedLogins: true,
    })
    const { type, ...master } = addressOf(aurora)
    const options: MysqlDataSourceOptions = {
      type,
      replication: { master, slaves: [master] },
      poolSize: 11,
    }
    const dataSource = open(withAuroraIam(options, iam) as DataSourceOptions)
    opened.push(await dataSource.initialize())
    const runner = dataSource.createQueryRunner('master')
    await runner.connect()
    inUse.push(runner)
    aurora.principals.remove(FIRST.accessKeyId)
    current = next
    aurora.log.clear()
    return dataSource
  }

  const query = async (dataSource: DataSource) => {
    const runner = dataSource.createQueryRunner('master')
    inUse.push(runner)
    return runner.query('SELECT 1 AS one')
  }

  test('a query whose login is rejected: accepted at the second attempt', async () => {
    const dataSource = await withDeletedKey(SECOND)
    expect(await query(dataSource)).toEqual([{ one: 1 }])
    expect(aurora.log.refusals).toHaveLength(1)
  })

  test('a permission is missing: four logins more, until the node is marked offline', async () => {
    const dataSource = await withDeletedKey(UNKNOWN)
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => query(dataSource)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toEqual([])
    expect(aurora.log.refusals).toHaveLength(14)
    await expect(query(dataSource)).rejects.toMatchObject({ code: 'POOL_NONEONLINE' })
    expect(aurora.log.refusals).toHaveLength(14)
  })
})
