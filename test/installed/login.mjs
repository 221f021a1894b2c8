// What a user's first program does, with the packages of the project that it lies in.
import { startLocalAurora } from '@aurora-iam/local'
import { createAuroraIam, withAuroraIam } from '@aurora-iam/mysql2'
import mysql from 'mysql2/promise'

const aurora = await startLocalAurora()
const { host, port, database } = aurora
const iam = createAuroraIam(aurora.iam)
const connection = await mysql.createConnection(withAuroraIam({ host, port, user: 'app', database }, iam))
const [[row]] = await connection.query('SELECT CURRENT_USER() AS user')
await connection.end()
await aurora.close()
process.stdout.write(`${row.user}\n`)
