import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import mysql2 from 'mysql2'
import { DataSource } from 'typeorm'
import { DataSource as DataSource03 } from 'typeorm-0.3'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { OWN_OPTION, poolSizeOf, TESTED_MINORS } from '../src/typeorm-internals.ts'

const VERSIONS: ReadonlyArray<readonly [minor: string, source: typeof DataSource]> = [
  ['0.3', DataSource03 as unknown as typeof DataSource],
  ['1.1', DataSource],
]

afterEach(() => {
  vi.restoreAllMocks()
})

interface Seen {
  readonly pools: Array<Record<string, unknown>>
  readonly clusters: unknown[]
  readonly nodes: Array<readonly [name: string, options: Record<string, unknown>]>
  readonly checkedOut: number
}

/** Initializes a DataSource with a driver that connects to nothing; returns what TypeORM asked it for. */
async function initialize(Source: typeof DataSource, options: object): Promise<Seen> {
  const seen = { pools: [], clusters: [], nodes: [], checkedOut: 0 } as {
    -readonly [name in keyof Seen]: Seen[name]
  }
  const getConnection = (...args: unknown[]) => {
    seen.checkedOut += 1
    const callback = args.at(-1) as (error: Error) => void
    callback(new Error('nothing is there'))
  }
  const driver = {
    ...mysql2,
    createPool(config: Record<string, unknown>) {
      seen.pools.push(config)
      return { getConnection, end: (callback: () => void) => callback() }
    },
    createPoolCluster(config: unknown) {
      seen.clusters.push(config)
      const add = (name: string, node: Record<string, unknown>) => seen.nodes.push([name, node])
      return { add, getConnection, end: (callback: () => void) => callback() }
    },
  }
  const given = {
    type: 'mysql',
    connectorPackage: 'mysql2',
    username: 'app',
    database: 'shop',
    driver,
    ...options,
  }
  const error = await rejectionOf(new Source(given as never).initialize())
  expect(error.message).toBe('nothing is there')
  return seen
}

const REPLICATION = {
  master: { host: 'writer', username: 'app', database: 'shop', ssl: { ca: 'of the node' } },
  slaves: [{ host: 'reader', username: 'app', database: 'shop', ssl: { ca: 'of the node' } }],
  restoreNodeTimeout: 7,
}

test('the versions of this test: the tested minors', () => {
  expect(VERSIONS.map(([minor]) => minor)).toEqual(TESTED_MINORS)
})

describe.each(VERSIONS)('TypeORM %s', (minor, Source) => {
  test('assumption 1, options in extra: they win over those of TypeORM', async () => {
    const extra = Object.fromEntries(OWN_OPTION.map(([option]) => [option, `${option} of extra`]))
    const own = { host: 'own', port: 1, ssl: { ca: 'own' }, connectTimeout: 1 }
    const { pools } = await initialize(Source, { ...own, extra })
    expect(pools).toMatchObject([extra])
    const { nodes } = await initialize(Source, { replication: REPLICATION, extra: { stream: 'of extra' } })
    expect(nodes.map(([, options]) => options.stream)).toEqual(['of extra', 'of extra'])
  })

  test('assumption 2, poolSize: it is mysql2’s connectionLimit, which has no other default', async () => {
    for (const options of [{}, { poolSize: 3 }, { poolSize: 3, extra: { connectionLimit: 5 } }]) {
      const { pools } = await initialize(Source, options)
      const pool = mysql2.createPool(pools[0] as mysql2.PoolOptions)
      expect((pool.config as { connectionLimit?: number }).connectionLimit).toBe(poolSizeOf(options))
      pool.end()
    }
  })

  test('assumption 3, the option driver: one pool of its createPool, and its getConnection', async () => {
    const { pools, clusters, checkedOut } = await initialize(Source, { host: 'own' })
    expect(pools).toMatchObject([{ host: 'own', user: 'app', database: 'shop' }])
    expect(clusters).toEqual([])
    expect(checkedOut).toBe(1)
  })

  test('assumption 4, a driver without connectorPackage: a warning of 0.3', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await initialize(Source, {})
    expect(warn).not.toHaveBeenCalled()
    await initialize(Source, { connectorPackage: undefined })
    expect(warn.mock.calls.length).toBe(minor === '0.3' ? 1 : 0)
  })

  test('assumption 5, replication: each node has the ssl beside it, and the cluster the whole option', async () => {
    const ssl = { ca: 'beside' }
    const { clusters, nodes, pools } = await initialize(Source, { replication: REPLICATION, ssl })
    expect(clusters).toMatchObject([{ restoreNodeTimeout: 7 }])
    expect(nodes.map(([name, { host, ssl: given }]) => [name, host, given])).toEqual([
      ['SLAVE0', 'reader', ssl],
      ['MASTER', 'writer', ssl],
    ])
    expect(pools).toEqual([])
  })

  test('assumption 6, a url: its parts win, and its query is ignored', async () => {
    const url = 'mysql://of-url:secret@host-of-url:3307/database-of-url?ssl=false&connectTimeout=1'
    const beside = { host: 'beside', port: 1, username: 'beside', password: 'beside', database: 'beside' }
    const { pools } = await initialize(Source, { url, ...beside })
    expect(pools).toMatchObject([
      { host: 'host-of-url', port: 3307, user: 'of-url', password: 'secret', database: 'database-of-url' },
    ])
    expect(pools[0]).toMatchObject({ ssl: undefined, connectTimeout: undefined })
  })
})
