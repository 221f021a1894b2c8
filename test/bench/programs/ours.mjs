// Ours, from the start of the process to the first row.
import { withAuroraIam } from '@aurora-iam/mysql2'
import mysql from 'mysql2/promise'

const { hostname, port, dial, user, database, ca, connectTimeout } = JSON.parse(process.env.PLACE)

async function main() {
  const options = withAuroraIam(
    { host: hostname, port, user, database, connectTimeout },
    { ca, hostname, dial },
  )
  const connection = await mysql.createConnection(options)
  await connection.query('SELECT 1')
  process.stdout.write(JSON.stringify(process.cpuUsage()))
  connection.destroy()
}

void main()
