import { withAuroraIam } from '@aurora-iam/typeorm'
import type { DataSource, DataSourceOptions } from 'typeorm'
import type { AdapterHarness, Client } from '../conformance/harness.ts'
import type { TypeormVersion } from './support.ts'

/** Describes TypeORM's DataSource, in any version. */
export function typeormHarness({ name, open }: TypeormVersion): AdapterHarness {
  return {
    name,
    capabilities: { connectsWhenOpened: true, keepsErrors: true },
    options: ({ user, connectionLimit, ...address }, iam) =>
      withAuroraIam({ type: 'mysql', ...address, username: user, poolSize: connectionLimit }, iam),
    open: async (options) => clientOf(await open(options as DataSourceOptions).initialize()),
    giveUpWaiting: async (options) => {
      const impatient = { ...(options as DataSourceOptions), connectTimeout: 30 }
      await open(impatient)
        .initialize()
        .catch(() => {})
    },
    exitProgram: new URL('../fixtures/exit/typeorm.mjs', import.meta.url),
  }
}

function clientOf(dataSource: DataSource): Client {
  return {
    raw: dataSource,
    query: (sql) => dataSource.query(sql),
    hold: async () => {
      const runner = dataSource.createQueryRunner()
      await runner.connect()
      return { query: (sql) => runner.query(sql), release: () => runner.release() }
    },
    close: async () => {
      if (dataSource.isInitialized) await dataSource.destroy()
    },
  }
}
