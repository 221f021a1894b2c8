// Sessions and accounts in the database, on one pool with IAM tokens: express-session and better-auth.
import { createRequire } from 'node:module'
import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import mysql from 'mysql2/promise'

// A database to play with. For your own, `host` is the endpoint that RDS shows, and `aurora.iam` is left out.
await using aurora = await startLocalAurora()
const { host, port, database } = aurora
const pool = mysql.createPool(withAuroraIam({ host, port, user: 'app', database, timezone: 'Z' }, aurora.iam))

// express-session. The store gets the pool: of options it would copy those that it knows, and lose the token.
const require = createRequire(import.meta.url)
const session = require('express-session')
const MysqlStore = require('express-mysql-session')(session)
const store = new MysqlStore({ clearExpired: false, createDatabaseTable: true }, pool)
await store.onReady()
await store.set('a-session', { cookie: { expires: new Date(Date.now() + 60_000) }, cart: ['book'] })
console.log('session:', (await store.get('a-session')).cart)

// better-auth takes the pool unchanged.
const auth = betterAuth({
  database: pool,
  secret: 'a secret of 32 characters or more',
  baseURL: 'http://localhost:3000',
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
})
const { runMigrations } = await getMigrations(auth.options)
await runMigrations()
const ada = { name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' }
await auth.api.signUpEmail({ body: ada })
const { user } = await auth.api.signInEmail({ body: { email: ada.email, password: ada.password } })
console.log(`signed in: ${user.name}`)
console.log(`tokens: ${aurora.log.fingerprints.length}, refused: ${aurora.log.refusals.length}`)

await store.close()
await pool.end()
