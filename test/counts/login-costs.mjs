// Counts what a login takes of Node: promises and timers that it creates, and the listeners and timers that stay with
// the connection. The same login with the password in the options is counted beside it: the rest is ours.
import { createHook } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAuroraIam, withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import mysql from 'mysql2'

const { iam: given, place, database } = JSON.parse(process.env.LOGIN)
const iam = createAuroraIam({ ...given, rateLimit: 1_000_000 })
const target = { hostname: given.hostname, port: place.port, username: place.user }
const { value: password } = await iam.token(target)
const limiter = createRateLimiter({ limit: 1_000_000 })

const created = { PROMISE: 0, Timeout: 0 }
const timers = new Set()
createHook({
  init(id, type) {
    if (type in created) created[type]++
    if (type === 'Timeout') timers.add(id)
  },
  destroy: (id) => timers.delete(id),
}).enable()

/** Returns how many promises `work` takes, without those of this function. */
async function promisesOf(work) {
  const before = created.PROMISE
  await work()
  return created.PROMISE - before
}

const bare = () => ({
  ...place,
  database,
  password,
  enableCleartextPlugin: true,
  ssl: { ca: given.ca, verifyIdentity: true },
})
const ours = () => withAuroraIam({ ...place, database }, iam)

/** Opens a connection as a program without promises does. */
function open(options, sockets) {
  const { stream } = options
  const traced = stream && {
    stream(context) {
      const socket = stream(context)
      sockets.push(socket)
      return socket
    },
  }
  return new Promise((resolve, reject) => {
    const connection = mysql.createConnection({ ...options, ...traced })
    connection.connect((error) => (error ? reject(error) : resolve(connection)))
  })
}

async function costOf(options) {
  // The first login loads what the others find.
  ;(await open(options(), [])).destroy()
  await settled()
  const before = { promises: created.PROMISE, started: created.Timeout, timers: timers.size }
  const sockets = []
  const connection = await open(options(), sockets)
  const promises = created.PROMISE - before.promises
  const timersStarted = created.Timeout - before.started
  await settled()
  const emitters = [connection, connection.stream, ...sockets]
  const listeners = emitters.reduce(
    (sum, emitter) =>
      sum + emitter.eventNames().reduce((count, name) => count + emitter.listenerCount(name), 0),
    0,
  )
  const stayed = timers.size - before.timers
  connection.destroy()
  return { promises, listeners, timersStarted, timers: stayed }
}

/** Resolves when what the last connection left to later turns of the event loop is done. */
async function settled() {
  for (let turn = 0; turn < 5; turn++) await sleep(20)
}

await iam.token(target)
const promises = {
  none: await promisesOf(() => {}),
  token: await promisesOf(() => iam.token(target)),
  permit: await promisesOf(async () => (await limiter.acquire()).release()),
}
const costs = { bare: await costOf(bare), ours: await costOf(ours) }
const hasPerfHooks = () => process.moduleLoadList.includes('NativeModule perf_hooks')
const perfHooks = { afterLogins: hasPerfHooks(), afterUse: performance.now() > 0 && hasPerfHooks() }
process.stdout.write(JSON.stringify({ promises, ...costs, perfHooks }))
iam.close()
