import { startLocalAurora } from '@aurora-iam/local'
import { Signer } from '@aws-sdk/rds-signer'
import { connect } from "node:net"
import { createConnection } from 'mysql2/promise'
import { expect, test } from 'vitest'

test('mysql2 logs in with a token of the AWS signer', async () => {
  const t0 = performance.now()
  await using aurora = await startLocalAurora()
  console.log('start', performance.now() - t0)
  const { host, port, hostname, region, credentials, ca } = aurora
  const signer = new Signer({ hostname, port, region, credentials, username: 'app' })
  const token = await signer.getAuthToken()
  const connection = await createConnection({
    host: hostname, port, user: 'app', database: 'app',
    stream: () => connect(port, host),
    ssl: { ca, verifyIdentity: true } as never,
    authPlugins: { mysql_clear_password: () => () => Buffer.from(`${token}\0`) },
  }).catch((e: Error) => { console.log(aurora.log.toString()); throw e })
  const [rows] = await connection.query('SELECT CONNECTION_ID() AS id, CURRENT_USER() AS user, DATABASE() AS db, @@version AS v')
  console.log(rows, connection.threadId)
  await connection.end()
  await new Promise((r) => setTimeout(r, 50))
  console.log(aurora.log.toString())
  expect(aurora.log.logins).toHaveLength(1)
})
