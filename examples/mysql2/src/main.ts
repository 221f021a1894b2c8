// mysql2 itself on IAM tokens, with promises.
import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import mysql, { type RowDataPacket } from 'mysql2/promise'

// A database to play with. For your own, `host` is the endpoint that RDS shows, and `aurora.iam` is left out.
await using aurora = await startLocalAurora()
const { host, port, database } = aurora

// The lines that matter:
const options = withAuroraIam({ host, port, user: 'app', database }, aurora.iam)
const pool = mysql.createPool(options)

await pool.query('CREATE TABLE account (owner VARCHAR(20) PRIMARY KEY, balance INT NOT NULL)')

const connection = await pool.getConnection()
await connection.beginTransaction()
await connection.execute('INSERT INTO account VALUES (?, ?)', ['Ada', 100])
await connection.execute('INSERT INTO account VALUES (?, ?)', ['Grace', 250])
await connection.commit()
connection.release()

const [[login]] = await pool.query<RowDataPacket[]>('SELECT CURRENT_USER() AS user')
const [accounts] = await pool.query<RowDataPacket[]>('SELECT owner, balance FROM account ORDER BY owner')
console.log(`logged in as ${login?.user}`)
for (const { owner, balance } of accounts) console.log(`${owner} has ${balance}`)
console.log(`connections: ${aurora.log.logins.length}, tokens: ${aurora.log.fingerprints.length}`)

await pool.end()
