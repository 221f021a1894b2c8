// A Fastify service that is ready when it has connections, and ends cleanly at SIGTERM.
import { once } from 'node:events'
import { startLocalAurora } from '@aurora-iam/local'
import { createAuroraIam, withAuroraIam } from '@aurora-iam/mysql2'
import mysql from 'mysql2/promise'
import { createServer } from './server.ts'

// A database to play with. For your own, `createAuroraIam()` has no argument.
await using aurora = await startLocalAurora()
const { host, port, database } = aurora
const setUp = await mysql.createConnection(withAuroraIam({ host, port, user: 'app', database }, aurora.iam))
await setUp.query('CREATE TABLE account (owner VARCHAR(20) PRIMARY KEY, balance INT NOT NULL)')
await setUp.query("INSERT INTO account VALUES ('Ada', 100), ('Grace', 250)")
await setUp.end()

// The lines that matter:
const server = createServer(aurora, createAuroraIam(aurora.iam))
process.once('SIGTERM', () => server.close())
const address = await server.listen({ host: '127.0.0.1', port: 0 })

const get = async (path: string) => {
  const answer = await fetch(`${address}${path}`, { headers: { connection: 'close' } })
  console.log(`GET ${path}: ${answer.status} ${await answer.text()}`)
}
await get('/live')
await get('/ready')
await get('/accounts')
aurora.faults.set({ refuse: 'NotAuthorized' })
aurora.faults.dropConnections()
await get('/ready')
aurora.faults.clear()

const closed = once(server.server, 'close')
process.kill(process.pid, 'SIGTERM')
await closed
console.log('closed')
