import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { READER } from '@aurora-iam/test-support/local-aurora'
import { until, untilDone } from '@aurora-iam/test-support/until'
import { type AuroraIamOptions, withAuroraIam } from '@aurora-iam/typeorm'
import type { DataSource } from 'typeorm'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { failingCredentials } from '../mysql2/support.ts'
import { VERSIONS } from './support.ts'

// Each with a separate port, certificate authority and users: the other rejects its token.
let writer: LocalAurora
let reader: LocalAurora
const opened: DataSource[] = []

beforeAll(async () => {
  writer = await startLocalAurora({ users: ['app'], throttle: false })
  const { credentials } = writer
  reader = await startLocalAurora({ hostname: READER, users: ['reporting'], credentials, throttle: false })
})

afterAll(async () => {
  await writer.close()
  await reader.close()
})

beforeEach(() => {
  for (const aurora of [writer, reader]) {
    aurora.faults.clear()
    aurora.setClock(Date.now)
    aurora.log.clear()
  }
})

afterEach(async () => {
  for (const dataSource of opened.splice(0)) if (dataSource.isInitialized) await dataSource.destroy()
})

function settings(): AuroraIamOptions {
  const { region, credentials, host } = writer
  return { region, credentials, ca: [writer.ca, reader.ca], dial: { host }, rateLimit: false }
}

const master = () => ({ host: writer.hostname, port: writer.port, username: 'app', database: 'app' })
const slave = () => ({ host: READER, port: reader.port, username: 'reporting', database: 'app' })

async function query(dataSource: DataSource, mode: 'master' | 'slave'): Promise<unknown> {
  const runner = dataSource.createQueryRunner(mode)
  try {
    return await runner.query("SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1) AS name")
  } finally {
    await runner.release()
  }
}

describe.each(VERSIONS)('replication of $name', ({ open }) => {
  function create(options: object = {}, iam: AuroraIamOptions = {}): DataSource {
    const replication = { master: master(), slaves: [slave()], restoreNodeTimeout: 100, ...options }
    const dataSource = open(withAuroraIam({ type: 'mysql', replication }, { ...settings(), ...iam }))
    opened.push(dataSource)
    return dataSource
  }

  const url = ({ host, port, username }: ReturnType<typeof master>) => ({
    url: `mysql://${username}@${host}:${port}/app`,
  })
  const nodes = [
    ['options', () => ({})],
    ['urls', () => ({ master: url(master()), slaves: [url(slave())] })],
  ] as const

  test.each(nodes)('each node: its host, port and user are signed and verified (%s)', async (_form, own) => {
    const dataSource = await create(own()).initialize()
    expect(await query(dataSource, 'master')).toEqual([{ name: 'app' }])
    expect(await query(dataSource, 'slave')).toEqual([{ name: 'reporting' }])
    expect(writer.log.logins).toMatchObject([{ user: 'app', hostname: writer.hostname, port: writer.port }])
    expect(reader.log.logins).toMatchObject([{ user: 'reporting', hostname: READER, port: reader.port }])
    const tls = [...writer.log, ...reader.log].filter((event) => event.type === 'tls')
    expect(tls).toMatchObject([{ servername: writer.hostname }, { servername: READER }])
  })

  test('nodes at different addresses under one `hostname`: each is dialled; another name gets no token', async () => {
    const at = (aurora: LocalAurora, username: string) => ({ host: aurora.host, port: aurora.port, username })
    const behind = { master: at(writer, 'app'), slaves: [at(reader, 'reporting')] }
    const dataSource = await create(behind, { hostname: writer.hostname, dial: undefined }).initialize()
    expect(await query(dataSource, 'master')).toEqual([{ name: 'app' }])
    await expect(query(dataSource, 'slave')).rejects.toThrow(/does not match certificate/)
    expect(reader.log.connections).toBeGreaterThan(0)
    expect(reader.log.tokensReceived).toBe(0)
  })

  test('a reader that is down: marked offline, and online again when it is usable', async () => {
    const dataSource = await create().initialize()
    expect(await query(dataSource, 'slave')).toEqual([{ name: 'reporting' }])
    reader.faults.set({ error: { errno: 1053, sqlState: '08S01', message: 'Server shutdown in progress' } })
    reader.faults.dropConnections()
    await untilFailed(() => query(dataSource, 'slave'), 'ER_SERVER_SHUTDOWN')
    await untilFailed(() => query(dataSource, 'slave'), 'POOL_NONEONLINE')
    expect(await query(dataSource, 'master')).toEqual([{ name: 'app' }])
    reader.faults.clear()
    expect(await untilDone(() => query(dataSource, 'slave'))).toEqual([{ name: 'reporting' }])
  })

  test('an outage of the credential provider: the writer is available again afterwards', async () => {
    const { source, credentials } = failingCredentials(writer)
    writer.setClock(source.clock)
    const dataSource = await create({}, { credentials, clock: source.clock }).initialize()
    const held = dataSource.createQueryRunner('master')
    await held.connect()
    source.isOut = true
    source.aheadMs = 120_000
    await untilFailed(() => query(dataSource, 'master'), 'ERR_AURORA_IAM_CREDENTIALS_UNAVAILABLE')
    await untilFailed(() => query(dataSource, 'master'), 'POOL_NONEONLINE')
    source.isOut = false
    expect(await untilDone(() => query(dataSource, 'master'))).toEqual([{ name: 'app' }])
    await held.release()
  })
})

/** Repeats `attempt` until it fails with `code`. */
function untilFailed(attempt: () => Promise<unknown>, code: string): Promise<unknown> {
  return until(() =>
    attempt().then(
      () => false,
      (error: { code?: string }) => error.code === code,
    ),
  )
}
