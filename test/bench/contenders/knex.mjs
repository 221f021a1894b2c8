// Knex: bare or ours. A program opens its connections in one pool, so they are counted there.
import { withAuroraIam } from '@aurora-iam/knex'
import { createAuroraIam } from '@aurora-iam/mysql2'
import knex from 'knex'
import { bareOptions, versionOf } from './bare.mjs'
import { worksOf } from './works.mjs'

export function setUp({ kind, iam, ...settings }) {
  const { hostname, port, dial, user, database, ca } = settings
  const bare = bareOptions({ ...settings, iam })
  const shared = createAuroraIam({ ...iam, ca, hostname, dial, rateLimit: 1_000_000 })
  const configOf = (size) => {
    const pool = { min: 0, max: size }
    if (kind === 'bare') return { client: 'mysql2', connection: async () => ({ ...bare.options }), pool }
    const connection = { host: hostname, port, user, database }
    return withAuroraIam({ client: 'mysql2', connection, pool }, shared)
  }
  const config = configOf(1)
  const open = async () => {
    const db = knex(config)
    await db.raw('SELECT 1')
    return db
  }
  return worksOf({
    prepare: bare.prepare,
    open,
    close: (db) => db.destroy(),
    query: (db) => db.raw('SELECT 1'),
    pool: async (size) => {
      const db = knex(configOf(size))
      return { run: () => db.raw('SELECT 1'), end: () => db.destroy() }
    },
    hold: async (size) => {
      const db = knex(configOf(size))
      const transactions = []
      const acquire = async () => {
        const transaction = await db.transaction()
        transactions.push(transaction)
        await transaction.raw('SELECT 1')
      }
      const end = async () => {
        for (const transaction of transactions) await transaction.rollback()
        await db.destroy()
      }
      return { acquire, end }
    },
    versions: { knex: versionOf('knex', import.meta.url) },
  })
}
