import { withAuroraIam } from '@aurora-iam/knex'
import type { Knex } from 'knex'
import type { AdapterHarness, Client } from '../conformance/harness.ts'
import type { KnexVersion } from './support.ts'

/** Describes Knex's pool, in any version. */
export function knexHarness({ name, makeKnex, client }: KnexVersion): AdapterHarness {
  return {
    name,
    // Knex rejects with what its pool's `create` rejected with: `propagateCreateError`, on by default.
    capabilities: { connectsWhenOpened: false, keepsErrors: true },
    options: ({ connectionLimit, ...connection }, iam) =>
      withAuroraIam({ client, connection, pool: { min: 0, max: connectionLimit } }, iam),
    open: (options) => clientOf(makeKnex(options as Knex.Config)),
    // Knex leaves a connection that takes too long to mysql2, which times out after `connectTimeout`.
    giveUpWaiting: async (options) => {
      const { connection, ...config } = options as Knex.Config & { connection: () => object }
      const db = makeKnex({ ...config, connection: { ...connection(), connectTimeout: 30 } as object })
      await db.raw('SELECT 1').catch(() => {})
      await db.destroy()
    },
    exitProgram: new URL('../fixtures/exit/knex.mjs', import.meta.url),
  }
}

function clientOf(db: Knex): Client {
  type Rows = Array<Record<string, unknown>>
  return {
    raw: db,
    query: async (sql) => (await db.raw(sql))[0] as Rows,
    hold: async () => {
      const connection = await db.client.acquireConnection()
      return {
        query: async (sql) => (await db.raw(sql).connection(connection))[0] as Rows,
        release: () => db.client.releaseConnection(connection),
      }
    },
    close: () => db.destroy(),
  }
}
