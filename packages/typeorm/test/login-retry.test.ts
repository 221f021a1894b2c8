import mysql2 from 'mysql2'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { describe, expect, test } from 'vitest'
import { createAuroraIam, withAuroraIam } from '../src/index.ts'
import { HOST } from './support.ts'

const options = { type: 'mysql', host: HOST, username: 'app', database: 'shop' } as const
const settings = { retryRejectedLogins: true }

/** Returns the driver that TypeORM gets. */
const driverOf = (result: object) => (result as { driver?: typeof mysql2 }).driver

describe('retryRejectedLogins', () => {
  test('a driver with managed pools: the given object stays unchanged', () => {
    const retrying: DataSourceOptions = withAuroraIam(options, createAuroraIam(settings))
    expect(driverOf(retrying)).toBeTypeOf('object')
    expect(driverOf(withAuroraIam({ ...options, password: 'x' }, { enabled: false }))).toBeUndefined()
    expect(options).not.toHaveProperty('driver')
    expect(new DataSource(retrying).isInitialized).toBe(false)
  })

  test('the managed driver: mysql2, except for its pools', () => {
    const driver = driverOf(withAuroraIam(options, settings))
    expect(driver).toMatchObject({ createPoolCluster: mysql2.createPoolCluster, format: mysql2.format })
    expect(driver?.createPool).not.toBe(mysql2.createPool)
  })

  test('a driver that was given: it creates the pools', () => {
    const made: unknown[] = []
    const createPool: typeof mysql2.createPool = (config: string | mysql2.PoolOptions) => {
      made.push(config)
      return mysql2.createPool(config as mysql2.PoolOptions)
    }
    const driver = driverOf(withAuroraIam({ ...options, driver: { ...mysql2, createPool } }, settings))
    driver?.createPool({ host: HOST }).end()
    expect(made).toEqual([{ host: HOST }])
  })

  test('enabled: false: nothing is added', () => {
    const plain = { ...options, password: 'local' }
    expect(withAuroraIam(plain, { enabled: false, ...settings })).toEqual(plain)
  })
})
