import mysql2 from 'mysql2'
import { DataSource } from 'typeorm'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { createAuroraIam, withAuroraIam, withLoginRetry } from '../src/index.ts'
import { HOST } from './support.ts'

const iam = createAuroraIam()
const options = withAuroraIam({ type: 'mysql', host: HOST, username: 'app', database: 'shop' }, iam)

describe('withLoginRetry', () => {
  test("returns TypeORM's own options, of the same type, and leaves its argument unchanged", () => {
    const retrying = withLoginRetry(options, iam)
    expectTypeOf(retrying).toEqualTypeOf(options)
    expect(retrying).toEqual({ ...options, driver: expect.any(Object) })
    expect(options).not.toHaveProperty('driver')
    expect(new DataSource(retrying).isInitialized).toBe(false)
  })

  test('the driver is mysql2 but for its pools', () => {
    const { driver } = withLoginRetry<typeof options & { driver?: typeof mysql2 }>(options, iam)
    expect(driver).toMatchObject({ createPoolCluster: mysql2.createPoolCluster, format: mysql2.format })
    expect(driver?.createPool).not.toBe(mysql2.createPool)
  })

  test('a driver that was given makes the pools', () => {
    const made: unknown[] = []
    const createPool: typeof mysql2.createPool = (config: string | mysql2.PoolOptions) => {
      made.push(config)
      return mysql2.createPool(config as mysql2.PoolOptions)
    }
    const given = { ...options, driver: { ...mysql2, createPool } }
    const pool = withLoginRetry(given, iam).driver.createPool({ host: HOST })
    pool.end()
    expect(made).toEqual([{ host: HOST }])
  })
})
