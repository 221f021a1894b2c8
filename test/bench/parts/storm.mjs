import { setTimeout as sleep } from 'node:timers/promises'
import { ClientProcess } from '../core/client-process.mjs'
import { startServer } from '../core/server.mjs'
import { rounded } from '../core/statistics.mjs'
import { printTable } from '../core/table.mjs'

export const title = 'A storm of logins against a server that takes 20 a second'

const LIMIT = 20

// A name, and the limit that it is set to. The limiter that spaces starts has its limit with a margin as well.
const CONTENDERS = [
  ['aurora-iam', LIMIT],
  ['p-throttle', LIMIT],
  ['p-queue', LIMIT],
  ['bottleneck', LIMIT],
  ['bottleneck', LIMIT * 0.85],
  ['rate-limiter-flexible', LIMIT],
  ['limiter', LIMIT],
  ['recipe, one Signer', LIMIT],
  ['AWS wrapper', LIMIT],
]

export async function run({ quick, progress }) {
  const count = quick ? 41 : 300
  const { aurora, settings } = await startServer({ throttle: LIMIT })
  try {
    const contenders = []
    for (const [kind, limit] of CONTENDERS) {
      const name = limit === LIMIT ? kind : `${kind} at ${limit} a second`
      progress(name)
      const client = await ClientProcess.start(
        './peers/logins.mjs',
        { ...settings, kind, limit },
        { node: 22 },
      )
      // Signs, and loads what a program has loaded: the storm is of logins.
      await client.do('logIn', 1)
      await sleep(1_100)
      aurora.log.clear()
      const { accepted, failed, error, wallMs } = await client.do('logIn', count)
      const tokens = [...aurora.log].filter(({ type }) => type === 'token').map(({ atMs }) => atMs)
      const leastMs = Math.floor((count - 1) / LIMIT) * 1_000
      contenders.push({
        name,
        versions: client.versions,
        accepted,
        failed,
        error,
        densestSecond: aurora.log.peakTokens(1_000),
        refusedByServer: aurora.log.refusals.length,
        spanMs: Math.round(tokens.at(-1) - tokens[0]),
        // Only where all came in: a contender that fails early is quick.
        overLeast: failed === 0 ? rounded((tokens.at(-1) - tokens[0]) / leastMs, 4) : undefined,
        wallMs: Math.round(wallMs),
      })
      client.stop()
      await sleep(1_100)
    }
    return { count, limit: LIMIT, contenders }
  } finally {
    await aurora.close()
  }
}

export function print({ count, limit, contenders }) {
  printTable(
    `A storm of ${count} logins at ${limit} a second`,
    ['', 'in', 'failed', 'refused', 'densest second', 'over the least time'],
    contenders.map(({ name, accepted, failed, refusedByServer, densestSecond, overLeast }) => [
      name,
      accepted,
      failed,
      refusedByServer,
      densestSecond,
      overLeast ?? '-',
    ]),
  )
}
