// MikroORM with a callback for the password, which it calls for each connection.
import { MikroORM } from '@mikro-orm/mysql'
import { bareOptions, versionOf } from './bare.mjs'
import { worksOf } from './works.mjs'

export function setUp({ iam, ...settings }) {
  const { hostname, port, user, database } = settings
  const { options, signer } = bareOptions({ ...settings, iam })
  let signings = 0
  const { stream, ssl, enableCleartextPlugin } = options
  const make = (size) =>
    new MikroORM({
      entities: [],
      discovery: { warnWhenNoEntities: false },
      dbName: database,
      host: hostname,
      port,
      user,
      password: () => {
        signings++
        return signer.getAuthToken()
      },
      driverOptions: { stream, ssl, enableCleartextPlugin },
      pool: { min: 0, max: size },
    })
  const open = async (size = 1) => {
    const orm = make(size)
    await orm.em.fork().execute('SELECT 1')
    return orm
  }
  return {
    ...worksOf({
      open,
      close: (orm) => orm.close(),
      query: (orm) => orm.em.fork().execute('SELECT 1'),
      pool: async (size) => {
        const orm = await open(size)
        return { run: () => orm.em.fork().execute('SELECT 1'), end: () => orm.close() }
      },
      versions: { '@mikro-orm/mysql': versionOf('@mikro-orm/mysql', import.meta.url) },
    }),
    signings: () => ({ signings }),
  }
}
