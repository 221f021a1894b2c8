// TypeORM: bare or ours. A connection is opened by its pool, and destroyed so that the next one is new.
import { createAuroraIam } from '@aurora-iam/mysql2'
import { withAuroraIam } from '@aurora-iam/typeorm'
import { DataSource } from 'typeorm'
import { bareOptions, versionOf } from './bare.mjs'
import { worksOf } from './works.mjs'

export async function setUp({ kind, iam, ...settings }) {
  const { hostname, port, dial, user, database, ca } = settings
  const bare = bareOptions({ ...settings, iam })
  await bare.prepare()
  const shared = createAuroraIam({ ...iam, ca, hostname, dial, rateLimit: 1_000_000 })
  const common = { type: 'mysql', host: hostname, port, username: user, database, poolSize: 1_000 }
  const { stream, enableCleartextPlugin } = bare.options
  const options =
    kind === 'bare'
      ? {
          ...common,
          ssl: bare.options.ssl,
          extra: {
            stream,
            enableCleartextPlugin,
            // TypeORM has no option for a password that changes.
            authPlugins: { mysql_clear_password: () => () => Buffer.from(`${bare.options.password}\0`) },
          },
        }
      : withAuroraIam(common, shared)
  const source = await new DataSource(options).initialize()
  return worksOf({
    prepare: bare.prepare,
    open: () => source.createQueryRunner().connect(),
    close: (connection) => connection.destroy(),
    query: (connection) =>
      new Promise((resolve, reject) => {
        connection.query('SELECT 1', (error) => (error ? reject(error) : resolve()))
      }),
    pool: async (size) => {
      const pooled = await new DataSource({ ...options, poolSize: size }).initialize()
      return { run: () => pooled.query('SELECT 1'), end: () => pooled.destroy() }
    },
    versions: { typeorm: versionOf('typeorm', import.meta.url) },
  })
}
