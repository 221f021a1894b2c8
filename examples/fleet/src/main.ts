// Four processes start at once, and together log in no more often than the database allows.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startLocalAurora } from '@aurora-iam/local'

const LIMIT = 20
const PROCESSES = 4

const redisPort = await freePort()
const redis = spawn('redis-server', ['--port', `${redisPort}`, '--save', '', '--bind', '127.0.0.1'], {
  stdio: 'ignore',
})
try {
  await answers(redisPort)
  await using aurora = await startLocalAurora({ throttle: LIMIT })
  const { host, port, database, iam } = aurora
  const settings = { redisPort, limit: LIMIT, iam, host, port, database }
  const env = { ...process.env, FLEET: JSON.stringify(settings) }
  const program = fileURLToPath(new URL('member.js', import.meta.url))
  const members = Array.from({ length: PROCESSES }, () => fork(program, { env }))
  const statuses = await Promise.all(members.map(exitOf))
  console.log(`processes that ended well: ${statuses.filter((status) => status === 0).length}`)
  console.log(`connections: ${aurora.log.logins.length}, refused: ${aurora.log.refusals.length}`)
  console.log(`never more than ${LIMIT} in a second: ${aurora.log.peakTokens(1_000) <= LIMIT}`)
} finally {
  redis.kill()
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const [status] = await once(child, 'exit')
  return status
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Waits until a server accepts connections on `port`. */
async function answers(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isOpen) return
    await sleep(20)
  }
}
