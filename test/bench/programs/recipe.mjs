// The recipe: mysql2 and the signer of AWS, from the start of the process to the first row.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { Signer } from '@aws-sdk/rds-signer'
import mysql from 'mysql2/promise'

const { hostname, port, dial, user, database, ca, caFile, region, connectTimeout } = JSON.parse(
  process.env.PLACE,
)

async function main() {
  // The credentials come from the default chain of the AWS SDK, as in ours.
  const signer = new Signer({ hostname, port, username: user, region })
  const connection = await mysql.createConnection({
    host: hostname,
    port,
    user,
    database,
    connectTimeout,
    ssl: { ca: ca ?? readFileSync(caFile), verifyIdentity: true },
    stream: () => connect(dial.port, dial.host),
    authPlugins: {
      mysql_clear_password: () => async () => Buffer.from(`${await signer.getAuthToken()}\0`),
    },
  })
  await connection.query('SELECT 1')
  process.stdout.write(JSON.stringify(process.cpuUsage()))
  connection.destroy()
}

void main()
