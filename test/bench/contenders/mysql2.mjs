// mysql2: bare, with the recipe of AWS, or ours.
import { createAuroraIam, withAuroraIam } from '@aurora-iam/mysql2'
import mysql from 'mysql2/promise'
import { bareOptions, versionOf } from './bare.mjs'
import { worksOf } from './works.mjs'

export async function setUp(settings) {
  const { options, prepare } = optionsOf(settings)
  return worksOf({
    prepare,
    open: () => mysql.createConnection(options()),
    close: (connection) => connection.end(),
    query: (connection) => connection.query('SELECT 1'),
    pool: async (size) => {
      const pool = mysql.createPool({ ...options(), connectionLimit: size })
      return { run: () => pool.query('SELECT 1'), end: () => pool.end() }
    },
    versions: { mysql2: versionOf('mysql2', import.meta.url) },
  })
}

/** @param driver - further options of mysql2, for ours */
function optionsOf({ kind, iam, driver, ...settings }) {
  if (kind === 'bare') {
    const { options, prepare } = bareOptions({ ...settings, iam })
    return { options: () => options, prepare }
  }
  const { hostname, port, dial, user, database, ca, connectTimeout } = settings
  if (kind === 'recipe') {
    const { options: bare, signer } = bareOptions({ ...settings, iam })
    const options = {
      ...bare,
      authPlugins: {
        mysql_clear_password: () => async () => Buffer.from(`${await signer.getAuthToken()}\0`),
      },
    }
    return { options: () => options }
  }
  const shared = createAuroraIam({
    ...iam,
    ca,
    hostname,
    dial,
    rateLimit: kind === 'unlimited' ? false : 1_000_000,
  })
  const options = withAuroraIam({ host: hostname, port, user, database, connectTimeout, ...driver }, shared)
  return { options: () => options }
}
