import { createAuroraIam } from '@aurora-iam/core'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { READER } from '@aurora-iam/test-support/local-aurora'
import { untilDone } from '@aurora-iam/test-support/until'
import type { PoolCluster, PoolClusterOptions, PoolConnection } from 'mysql2'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { failingCredentials, VERSIONS } from './support.ts'

let aurora: LocalAurora
const clusters: PoolCluster[] = []

beforeAll(async () => {
  aurora = await startLocalAurora({ hostnames: [READER], users: ['app', 'reporting'], throttle: false })
})

afterAll(() => aurora.close())

beforeEach(() => {
  aurora.faults.clear()
  aurora.setClock(Date.now)
  aurora.log.clear()
})

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await new Promise((resolve) => cluster.end(resolve))
})

/** Opens a cluster of two nodes. Both names lead to one Local Aurora. */
function settings() {
  const { region, credentials, ca } = aurora
  return { region, credentials, ca, dial: { host: aurora.host }, rateLimit: false as const }
}

function node(hostname: string, user: string) {
  return { host: hostname, port: aurora.port, database: aurora.database, user }
}

function connectionOf(cluster: PoolCluster, pattern: string): Promise<PoolConnection> {
  return new Promise((resolve, reject) => {
    cluster.getConnection(pattern, (error, connection) => (error ? reject(error) : resolve(connection)))
  })
}

describe.each(VERSIONS)('a pool cluster of $name', ({ callbacks }) => {
  function open(options: PoolClusterOptions = { restoreNodeTimeout: 1_000 }): PoolCluster {
    const cluster = callbacks.createPoolCluster(options)
    clusters.push(cluster)
    return cluster
  }

  test('each node: its name and its user are signed and verified', async () => {
    const iam = createAuroraIam(settings())
    const cluster = open()
    cluster.add('WRITER', withAuroraIam(node(aurora.hostname, 'app'), iam))
    cluster.add('READER', withAuroraIam(node(READER, 'reporting'), iam))
    for (const name of ['WRITER', 'READER']) (await connectionOf(cluster, name)).release()
    expect(aurora.log.logins).toMatchObject([
      { user: 'app', hostname: aurora.hostname },
      { user: 'reporting', hostname: READER },
    ])
    const tls = [...aurora.log].filter((event) => event.type === 'tls')
    expect(tls).toMatchObject([{ servername: aurora.hostname }, { servername: READER }])
  })

  /** Returns the codes of ten failures in a row, while the credential provider fails. It works again afterwards. */
  async function outage(cluster: PoolCluster): Promise<Set<unknown>> {
    const { source, credentials } = failingCredentials(aurora)
    cluster.add('WRITER', withAuroraIam(node(aurora.hostname, 'app'), { ...settings(), credentials }))
    source.isOut = true
    const codes = new Set<unknown>()
    for (let i = 0; i < 10; i++) {
      await connectionOf(cluster, 'WRITER').catch((error: { code?: string }) => codes.add(error.code))
    }
    source.isOut = false
    return codes
  }

  // mysql2 repeats each failure at a node that has failed fewer than five times.
  test.each([
    { nodes: 1, logins: 15 },
    { nodes: 2, logins: 20 },
    { nodes: 3, logins: 25 },
  ])(
    'ten connections without the permission: at most $logins logins with $nodes nodes',
    async ({ nodes, logins }) => {
      const iam = createAuroraIam(settings())
      const cluster = open()
      for (let i = 1; i <= nodes; i++) cluster.add(`READER${i}`, withAuroraIam(node(READER, 'app'), iam))
      aurora.faults.set({ refuse: 'NotAuthorized' })
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, () => connectionOf(cluster, 'READER*')),
      )
      for (const { status } of results) expect(status).toBe('rejected')
      expect(aurora.log.refusals.length).toBeGreaterThanOrEqual(10)
      expect(aurora.log.refusals.length).toBeLessThanOrEqual(logins)
    },
  )

  test('an outage of the credential provider: mysql2 tries the node again after restoreNodeTimeout', async () => {
    const cluster = open({ restoreNodeTimeout: 100 })
    const offline: unknown[] = []
    cluster.on('offline', (name) => offline.push(name))
    expect(await outage(cluster)).toContain('POOL_NONEONLINE')
    expect(offline).toContain('WRITER')
    const connection = await untilDone(() => connectionOf(cluster, 'WRITER'))
    connection.release()
    expect(aurora.log.logins).toMatchObject([{ user: 'app' }])
  })

  test('the same with mysql2’s own default of 0: the node is removed indefinitely', async () => {
    const cluster = open({})
    const removed: unknown[] = []
    cluster.on('remove', (name) => removed.push(name))
    expect(await outage(cluster)).toContain('POOL_NOEXIST')
    expect(removed).toEqual(['WRITER'])
    await expect(connectionOf(cluster, 'WRITER')).rejects.toMatchObject({ code: 'POOL_NOEXIST' })
  })
})
