import type { LocalAurora } from '@aurora-iam/local'
import { createConnection } from 'mysql2/promise'

/** Creates a user with a password in `aurora`, and returns the options of a driver for it. */
export async function passwordUser(aurora: LocalAurora, user = 'legacy') {
  const { host, port, database, ca } = aurora
  const password = 'a password'
  const address = { host, port, ssl: { ca } }
  const admin = await createConnection({ ...address, ...aurora.admin })
  await admin.query(`CREATE USER ${user} IDENTIFIED WITH caching_sha2_password BY '${password}'`)
  await admin.query(`GRANT ALL ON ${database}.* TO ${user}`)
  await admin.end()
  return { ...address, user, password, database }
}
