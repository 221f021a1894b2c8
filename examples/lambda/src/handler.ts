import { createAuroraIam, withAuroraIam } from '@aurora-iam/mysql2'
import mysql, { type RowDataPacket } from 'mysql2/promise'

const { DB_HOST: host, DB_PORT: port = '3306', DB_USER: user, DB_NAME: database, DB_IAM = '{}' } = process.env

// Outside the handler: one environment of Lambda serves one request at a time, and has one connection.
const iam = createAuroraIam({ ...JSON.parse(DB_IAM), maxWaitMs: 5_000 })
const options = withAuroraIam({ host, port: Number(port), user, database, connectionLimit: 1 }, iam)
const pool = mysql.createPool(options)

/** Returns who is logged in, and what this environment has done so far. */
export async function handler() {
  const [[row]] = await pool.query<RowDataPacket[]>('SELECT CURRENT_USER() AS user')
  const { tokensSigned, connectionsOpened } = iam.stats()
  return { user: row?.user, tokensSigned, connectionsOpened }
}
