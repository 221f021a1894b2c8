// One process of a fleet: opens its connections as fast as its share of the limit allows, and reports when all are open.
import { subscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createConnection } from 'mysql2/promise'

process.once('message', async ({ host, port, database, iam, pool, limit }) => {
  const options = withAuroraIam({ host, port, user: 'app', database }, { ...iam, rateLimit: limit })
  // The AWS SDK is loaded, and its permit is free again, before the time is taken.
  await (await createConnection(options)).end()
  await sleep(1_500)
  process.send('warm')
  process.once('message', async () => {
    const durations = []
    subscribe('aurora-iam:connect', ({ durationMs }) => durations.push(durationMs))
    const connections = await Promise.all(Array.from({ length: pool }, () => createConnection(options)))
    process.send(durations.reduce((sum, durationMs) => sum + durationMs, 0) / durations.length)
    for (const connection of connections) connection.destroy()
  })
})
process.send('ready')
