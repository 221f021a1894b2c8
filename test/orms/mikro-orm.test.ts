import { withAuroraIam } from '@aurora-iam/mysql2'
import { DriverException, MikroORM } from '@mikro-orm/mysql'
import { expect } from 'vitest'
import { describeOrm } from './suite.ts'

// MikroORM asks for Node 22.17. What is used of it here runs on 20 as well, so that this is never left out.
describeOrm(
  'MikroORM',
  (address, iam) => {
    const orm = new MikroORM({
      entities: [],
      discovery: { warnWhenNoEntities: false },
      dbName: 'app',
      driverOptions: withAuroraIam({ ...address }, iam),
      pool: { max: 3 },
    })
    return { query: (text) => orm.em.fork().execute(text), close: () => orm.close() }
  },
  (error) => {
    expect(error).toBeInstanceOf(DriverException)
    return error
  },
)
