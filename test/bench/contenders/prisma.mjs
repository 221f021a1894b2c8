// Prisma's driver adapter: the stock one with a token as its password, or ours. A program opens its connections in one
// pool, so they are counted there: each transaction that is open has one.
import { createAuroraIam } from '@aurora-iam/core'
import { auroraIam } from '@aurora-iam/prisma'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { bareOptions, versionOf } from './bare.mjs'
import { worksOf } from './works.mjs'

export function setUp({ kind, iam, ...settings }) {
  const { hostname, port, dial, user, database, ca } = settings
  const bare = bareOptions({ ...settings, iam })
  const shared = createAuroraIam({ ...iam, ca, hostname, dial, rateLimit: 1_000_000 })
  const factory = (size) => {
    if (kind === 'ours') {
      return auroraIam({ host: hostname, port, user, database, connectionLimit: size }, shared).adapter
    }
    const { password } = bare.options
    return new PrismaMariaDb({
      ...dial,
      user,
      database,
      password,
      connectionLimit: size,
      // By default its pool opens all of them at once.
      minimumIdle: 1,
      // It dials an address, so the name is verified as its option.
      ssl: { ca, servername: hostname, minVersion: 'TLSv1.2' },
    })
  }
  const select = { sql: 'SELECT 1', args: [], argTypes: [] }
  const open = async (size = 1) => {
    const adapter = await factory(size).connect()
    await adapter.queryRaw(select)
    return adapter
  }
  return worksOf({
    prepare: bare.prepare,
    open,
    close: (adapter) => adapter.dispose(),
    query: (adapter) => adapter.queryRaw(select),
    pool: async (size) => {
      const adapter = await open(size)
      return { run: () => adapter.queryRaw(select), end: () => adapter.dispose() }
    },
    hold: async (size) => {
      const adapter = await factory(size).connect()
      const transactions = []
      const acquire = async () => {
        const transaction = await adapter.startTransaction()
        transactions.push(transaction)
        await transaction.queryRaw(select)
      }
      const end = async () => {
        for (const transaction of transactions) await transaction.rollback()
        await adapter.dispose()
      }
      return { acquire, end }
    },
    versions: { '@prisma/adapter-mariadb': versionOf('@prisma/adapter-mariadb', import.meta.url) },
  })
}
