import type { AuroraIam } from '@aurora-iam/mysql2'
import { managedPool, warmUp, withAuroraIam } from '@aurora-iam/mysql2'
import fastify, { type FastifyInstance } from 'fastify'
import mysql, { type RowDataPacket } from 'mysql2/promise'

/** Where the database is. */
export interface Database {
  readonly host: string
  readonly port: number
  readonly database: string
}

/** Creates a service with a health check. Closing it closes the pool. */
export function createServer({ host, port, database }: Database, iam: AuroraIam): FastifyInstance {
  const server = fastify()
  const pool = managedPool(mysql.createPool(withAuroraIam({ host, port, user: 'app', database }, iam)))
  let isStopping = false

  server.get('/accounts', async () => {
    const [rows] = await pool.query<RowDataPacket[]>('SELECT owner, balance FROM account ORDER BY owner')
    return rows
  })
  // The process is alive: a database that is away is no reason to restart it.
  server.get('/live', async () => ({ status: 'ok' }))
  // The process can serve: it has connections, and is not about to end.
  server.get('/ready', async (_request, reply) => {
    if (isStopping) return reply.code(503).send({ status: 'stopping' })
    try {
      await warmUp(pool, 2)
      await pool.query('SELECT 1')
      return { status: 'ready' }
    } catch (error) {
      return reply.code(503).send({ status: 'not ready', code: (error as { code?: string }).code })
    }
  })
  server.addHook('preClose', async () => {
    isStopping = true
  })
  // Requests that were accepted have had their answer by then. Waits for a permit end at once.
  server.addHook('onClose', async () => {
    iam.close()
    await pool.end()
  })
  return server
}
