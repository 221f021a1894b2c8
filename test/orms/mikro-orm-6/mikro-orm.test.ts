import { withAuroraIam } from '@aurora-iam/mysql2'
import { MikroORM } from '@mikro-orm/mysql'
import { describeOrm } from '../suite.ts'

// npm installs 6 on Node 20. It is built on Knex, and reads mysql2's options from `connection`.
describeOrm(
  'MikroORM 6',
  (address, iam) => {
    const orm = MikroORM.initSync({
      entities: [],
      discovery: { warnWhenNoEntities: false },
      dbName: 'app',
      driverOptions: { connection: withAuroraIam({ ...address }, iam) },
      pool: { min: 0, max: 3 },
    })
    return { query: (text) => orm.em.getConnection().execute(text), close: () => orm.close() }
  },
  // It hands on what prevented a connection without a DriverException.
  (error) => error,
)
