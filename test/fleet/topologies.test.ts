import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { until } from '@aurora-iam/test-support/until'
import { expect, test, vi } from 'vitest'
import { CountingServer, peakTokens } from './counting-server.ts'
import { type AtEnd, intervalMs, limit, welcomes } from './fleet-set-up.ts'
import { Member } from './member.ts'

// Generous: they wait for processes, side by side.
vi.setConfig({ testTimeout: 120_000 })

async function startRedis(atEnd: AtEnd, settings?: (folder: string, port: number) => readonly string[]) {
  const redis = await RedisServer.start('redis-server', settings)
  atEnd(() => redis.close())
  return redis
}

/** Starts two processes, one on each client, and expects them to share the limit of one store. */
async function expectSharedLimit(atEnd: AtEnd, kind: string, ports: number[], during = async () => {}) {
  const server = await CountingServer.start(limit, intervalMs)
  atEnd(() => server.close())
  const members = await Promise.all(
    ['ioredis', 'node-redis'].map((client) =>
      Member.start({
        name: client,
        redis: { kind: `${client}-${kind}`, ports },
        server: server.port,
        options: { limit, intervalMs },
      }),
    ),
  )
  for (const member of members) atEnd(() => member.end())
  const reports = Promise.all(members.map((member) => member.run(40)))
  await during()
  expect((await reports).flatMap(({ answers }) => answers)).toEqual(welcomes(80))
  expect(peakTokens(server.logins, intervalMs)).toBeLessThanOrEqual(limit)
  for (const { stats } of await reports) expect(stats.processes).toBe(2)
  // Who was done before the others may have come to its end while there was no primary.
  for (const member of members) await until(async () => !(await member.run(1)).stats.storeLost)
}

test.concurrent('a cluster of three: one key, in one slot, wherever that is', async ({ onTestFinished }) => {
  const clustered = (folder: string) => [
    '--cluster-enabled',
    'yes',
    '--cluster-config-file',
    `${folder}/nodes.conf`,
    '--cluster-node-timeout',
    '2000',
  ]
  const nodes = await Promise.all([0, 1, 2].map(() => startRedis(onTestFinished, clustered)))
  const [first] = nodes as [RedisServer]
  const edges = [0, 5461, 10_923, 16_384]
  for (const [index, node] of nodes.entries()) {
    await node.command('CLUSTER', 'ADDSLOTSRANGE', `${edges[index]}`, `${(edges[index + 1] as number) - 1}`)
    if (node !== first) await first.command('CLUSTER', 'MEET', '127.0.0.1', `${node.port}`)
  }
  for (const node of nodes) {
    await until(async () => (await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok'))
    await until(async () => (await node.command('CLUSTER', 'NODES')).split('\n').length === 3)
  }
  await expectSharedLimit(
    onTestFinished,
    'cluster',
    nodes.map(({ port }) => port),
  )
})

test.concurrent('a Sentinel fails over while a fleet waits: nothing overruns, and all go on', async ({
  onTestFinished,
}) => {
  const primary = await startRedis(onTestFinished)
  const replica = await startRedis(onTestFinished, () => ['--replicaof', '127.0.0.1', `${primary.port}`])
  await until(async () => (await replica.command('INFO', 'replication')).includes('master_link_status:up'))
  const sentinel = await RedisServer.startSentinel(async (folder, port) => {
    const file = `${folder}/sentinel.conf`
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor fleet 127.0.0.1 ${primary.port} 1`,
      'sentinel down-after-milliseconds fleet 500',
      'sentinel failover-timeout fleet 2000',
    ]
    await writeFile(file, lines.join('\n'))
    return file
  })
  onTestFinished(() => sentinel.close())
  await until(async () =>
    (await sentinel.command('SENTINEL', 'REPLICAS', 'fleet')).includes(`${replica.port}`),
  )
  await expectSharedLimit(onTestFinished, 'sentinel', [sentinel.port], async () => {
    await sleep(2500)
    await primary.kill()
  })
})
