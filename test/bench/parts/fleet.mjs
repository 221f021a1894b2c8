import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { startServer } from '../core/server.mjs'
import { rounded } from '../core/statistics.mjs'
import { printTable } from '../core/table.mjs'

export const title = 'A fleet of four processes through Redis'

const LIMIT = 20
const REDIS_PORT = 36_379
const PROCESSES = 4

export async function run({ quick, progress }) {
  const each = quick ? 10 : 75
  const { aurora } = await startServer({ throttle: LIMIT })
  const quiet = ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1']
  const redis = spawn('redis-server', ['--port', `${REDIS_PORT}`, ...quiet], { stdio: 'ignore' })
  try {
    const { region, ca, credentials, hostname, host, port } = aurora
    const place = { host, port, user: 'app', database: 'app' }
    const settings = {
      adapter: 'mysql2',
      redis: REDIS_PORT,
      limit: LIMIT,
      aurora: { ...place, iam: { region, ca, credentials, hostname } },
    }
    const members = Array.from({ length: PROCESSES }, () =>
      fork(new URL('../../fixtures/fleet/logins.mjs', import.meta.url), {
        env: { ...process.env, FLEET_SETTINGS: JSON.stringify(settings) },
      }),
    )
    await Promise.all(members.map((member) => once(member, 'message')))
    await sleep(1_000)
    progress(`${PROCESSES} processes, ${each} logins each`)
    await Promise.all(
      members.map(async (member) => {
        member.send(each)
        await once(member, 'message')
        member.disconnect()
      }),
    )
    const tokens = [...aurora.log].filter(({ type }) => type === 'token').map(({ atMs }) => atMs)
    const leastMs = Math.floor((tokens.length - 1) / LIMIT) * 1_000
    return {
      processes: PROCESSES,
      logins: tokens.length,
      limit: LIMIT,
      refused: aurora.log.refusals.length,
      densestSecond: aurora.log.peakTokens(1_000),
      overLeast: rounded((tokens.at(-1) - tokens[0]) / leastMs, 4),
    }
  } finally {
    redis.kill()
    await aurora.close()
  }
}

export function print({ processes, logins, limit, refused, densestSecond, overLeast }) {
  printTable(
    `A fleet of ${processes} at ${limit} a second`,
    ['logins', 'refused', 'densest second', 'over the least time'],
    [[logins, refused, densestSecond, overLeast]],
  )
}
