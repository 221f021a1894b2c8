// Knex: bare or ours. Each connection is a pool of one, with one query.
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
    versions: { knex: versionOf('knex', import.meta.url) },
  })
}
