import { DataSource } from 'typeorm'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { createAuroraIam, type MysqlDataSourceOptions, withAuroraIam } from '../src/index.ts'
import { HOST, READER } from './support.ts'

const good = { type: 'mysql', host: HOST, username: 'app', database: 'shop' } as const

/** Returns the result without the type of the argument. */
const result = (options: object, iam?: object): Record<string, unknown> & MysqlDataSourceOptions =>
  withAuroraIam({ ...good, ...options } as MysqlDataSourceOptions, iam) as never

describe('withAuroraIam', () => {
  test("options: the result is TypeORM's own, of the same type", () => {
    const options = { ...good, poolSize: 7, logging: ['query'], cache: true } satisfies MysqlDataSourceOptions
    const mine = withAuroraIam(options)
    expectTypeOf(mine).toEqualTypeOf<MysqlDataSourceOptions>()
    expect(mine).toMatchObject({ ...options, port: 3306 })
    expect(new DataSource(mine).options).toMatchObject({ host: HOST, username: 'app' })
  })

  test('mysql and mariadb: both are served', () => {
    expect(result({ type: 'mariadb' })).toMatchObject({ type: 'mariadb', host: HOST })
  })

  test('the hooks: placed under extra, whose other members are kept', () => {
    const dialog = () => () => 'x'
    const { extra } = result({ extra: { queueLimit: 3, database: 'other', authPlugins: { dialog } } })
    expect(extra).toEqual({
      queueLimit: 3,
      database: 'other',
      stream: expect.any(Function),
      authPlugins: expect.objectContaining({ dialog, mysql_clear_password: expect.any(Function) }),
    })
  })

  test('TLS: chain and name are verified, from TLS 1.2 on', () => {
    const { ssl } = result({ ssl: { minVersion: 'TLSv1.3' } })
    expect(ssl).toMatchObject({ rejectUnauthorized: true, verifyIdentity: true, minVersion: 'TLSv1.3' })
    expect(result({}).ssl).toMatchObject({ verifyIdentity: true, minVersion: 'TLSv1.2' })
  })

  test('TypeORM 0.3: it loads mysql2', () => {
    expect(result({}).connectorPackage).toBe('mysql2')
    expect(result({ connectorPackage: 'mysql2' }).connectorPackage).toBe('mysql2')
  })

  test('connectTimeout: the wait for a permit is added, and 0 stays no limit', () => {
    const iam = { maxWaitMs: 5_000, credentialsTimeoutMs: 1_000 }
    expect(result({}, iam).connectTimeout).toBe(10_000 + 5_000 + 3_000)
    expect(result({ connectTimeout: 2_000 }, iam).connectTimeout).toBe(2_000 + 5_000 + 3_000)
    expect(result({ connectTimeout: 0 }, iam).connectTimeout).toBe(0)
  })

  test('`hostname`: signed and verified, whichever `host` is dialled', () => {
    const options = { host: '127.0.0.1', port: 13_306 }
    expect(result(options, { hostname: HOST, port: 3306 })).toMatchObject({ host: HOST, port: 3306 })
  })

  test('extra: null, as TypeORM accepts it', () => {
    expect(result({ extra: null }).extra).toMatchObject({ stream: expect.any(Function) })
  })

  test('enabled: false: the options stay unchanged', () => {
    const options = { host: 'localhost', password: 'x', connectorPackage: 'mysql', extra: { stream: true } }
    expect(result(options, { enabled: false })).toEqual({ ...good, ...options })
    expect(result({ url: 'mysql://app:x@localhost/shop' }, { enabled: false })).not.toHaveProperty('extra')
    expect(result({ extra: { password: '' } }, { enabled: false })).toHaveProperty('extra', { password: '' })
  })
})

describe('a url', () => {
  test.each(['mysql', 'mariadb'])(
    'a url of %s: it stands for host, port, username and database',
    (protocol) => {
      const options = { type: 'mysql', url: `${protocol}://my%20app@${HOST}:3307/shop?charset=utf8` } as const
      const mine = withAuroraIam(options)
      expect(mine).toMatchObject({ host: HOST, port: 3307, username: 'my app', database: 'shop' })
      expect(mine).not.toHaveProperty('url')
      expect(mine).not.toHaveProperty('password')
    },
  )

  test('a url and options beside it: the url wins, and they fill what it leaves out', () => {
    const beside = { host: 'elsewhere', port: 3308, username: 'app', database: 'shop' }
    expect(result({ ...beside, url: `mysql://${HOST}` })).toMatchObject({ ...beside, host: HOST })
    expect(result({ ...beside, url: `mysql://boss@${HOST}:3309/till` })).toMatchObject({
      host: HOST,
      port: 3309,
      username: 'boss',
      database: 'till',
    })
  })

  test('an empty url: no effect', () => {
    expect(result({ url: '' })).toMatchObject({ host: HOST, username: 'app' })
  })
})

describe('replication', () => {
  const master = { host: HOST, username: 'app', database: 'shop' }
  const slave = { url: `mysql://reporting@${READER}:3307/shop`, poolSize: 3 }

  test('replication: hooks for the writer and each reader, and other settings are kept', () => {
    const replication = { master, slaves: [slave, master], defaultMode: 'master', removeNodeErrorCount: 9 }
    expect(result({ replication }).replication).toEqual({
      master: { ...master, port: 3306 },
      slaves: [
        { host: READER, port: 3307, username: 'reporting', database: 'shop', poolSize: 3 },
        { ...master, port: 3306 },
      ],
      defaultMode: 'master',
      removeNodeErrorCount: 9,
      restoreNodeTimeout: 1_000,
    })
  })

  test('restoreNodeTimeout of the caller: kept', () => {
    const replication = { master, slaves: [], restoreNodeTimeout: 50 }
    expect(result({ replication }).replication).toMatchObject({ restoreNodeTimeout: 50 })
  })

  test('nodes behind one tunnel each: they may share a name if the signed ports differ', () => {
    const at = (port: number) => ({ host: '127.0.0.1', port, username: 'app' })
    const replication = { master: at(13_306), slaves: [at(13_307)] }
    expect(result({ replication }, { hostname: HOST }).replication).toMatchObject({
      master: { host: HOST, port: 13_306 },
      slaves: [{ host: HOST, port: 13_307 }],
    })
  })

  test.each([{ url: '' }, { url: undefined }, { url: null }, { password: '' }, { host: undefined }])(
    '%j beside replication: no effect, as in TypeORM',
    (beside) => {
      const replication = { master, slaves: [slave] }
      expect(result({ ...beside, replication }).replication).toEqual(result({ replication }).replication)
    },
  )

  test('a node with `ssl: null`: as without it', () => {
    const replication = { master: { ...master, ssl: null }, slaves: [] }
    expect(result({ replication }).replication).toMatchObject({ master: { host: HOST } })
  })

  test('nodes of one Region: they share its authorities', () => {
    const iam = createAuroraIam()
    const { ssl } = result({ replication: { master, slaves: [slave] } }, iam)
    expect(ssl).toBe(result({}, iam).ssl)
  })

  test('a proxy beside a database: verified by the authorities of either', () => {
    const proxy = { ...master, host: 'mine.proxy-abcdefghijkl.eu-west-1.rds.amazonaws.com' }
    const { ssl } = result({ replication: { master: proxy, slaves: [slave] } })
    const ofProxy = result({ host: proxy.host }).ssl.ca
    const ofDatabase = result({}).ssl.ca
    expect(ssl).toMatchObject({ verifyIdentity: true, rejectUnauthorized: true })
    expect(ssl.ca).toEqual([...ofProxy, ...ofDatabase])
  })
})
