// The program that each bundler packs: a login of mysql2, and every way in which the AWS SDK is loaded.
import { createAuroraIam, withAuroraIam } from '@aurora-iam/mysql2'
import mysql from 'mysql2/promise'

async function main() {
  const { iam: options, place } = JSON.parse(process.env.LOGIN)
  // The credentials come from the SDK's default chain.
  const iam = createAuroraIam(options)
  const connection = await mysql.createConnection(withAuroraIam(place, iam))
  const [[{ user }]] = await connection.query('SELECT CURRENT_USER() AS user')
  await connection.end()
  // The name does not tell its Region, so the profile does.
  const token = await iam.token({ hostname: 'db.example.com', port: 3306, username: 'app' })
  const [, region] = /%2F([a-z0-9-]+)%2Frds-db%2F/.exec(token.value)
  iam.close()
  process.stdout.write(JSON.stringify({ user, region }))
}

// Without an await, which CommonJS does not have.
void main()
