// How much of its rate a live reader keeps beside a writer that does not answer: 40 workers on each, in real time.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { startLocalAurora } from '@aurora-iam/local'
import { createAuroraIam, withAuroraIam } from '@aurora-iam/mysql2'
import mysql from 'mysql2/promise'

const LIMIT = Number(process.argv[2] ?? 20)
const SECONDS = 10
const WORKERS = 40
const READER = 'local.cluster-ro-c0local0aur0.us-east-1.rds.amazonaws.com'

const aurora = await startLocalAurora({ throttle: LIMIT, hostnames: [READER] })
const { host, port, hostname, region, ca, credentials } = aurora
const sockets = []
const dead = createServer((socket) => sockets.push(socket.on('error', () => {})))
await once(dead.listen(0, host), 'listening')
const dial = (target) => ({ host, port: target.hostname === READER ? port : dead.address().port })

/** Returns how many connections to the reader are opened while so many workers are on the writer. */
async function logins(deadWorkers) {
  aurora.log.clear()
  const iam = createAuroraIam({ region, ca, credentials, dial, rateLimit: LIMIT })
  const options = (name) => withAuroraIam({ host: name, port, user: 'app', database: 'app' }, iam)
  let isOver = false
  const worker = async (name) => {
    while (!isOver) {
      const connection = await mysql.createConnection(options(name)).catch(() => undefined)
      connection?.destroy()
    }
  }
  const workers = [
    ...Array.from({ length: deadWorkers }, () => worker(hostname)),
    ...Array.from({ length: WORKERS }, () => worker(READER)),
  ]
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000))
  const { length } = aurora.log.logins
  isOver = true
  iam.close()
  await Promise.all(workers)
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  return length
}

// Before and after, because the machine is not the same all the time.
const before = await logins(0)
const beside = await logins(WORKERS)
const after = await logins(0)
const alone = (before + after) / 2
console.log(
  `\nA reader beside a writer that does not answer, ${WORKERS} workers on each, ${SECONDS} s at ${LIMIT}/s`,
)
console.log(`  alone ${before} and ${after} logins, beside it ${beside}: ${(beside / alone).toFixed(2)} x`)
for (const socket of sockets) socket.destroy()
dead.close()
await aurora.close()
