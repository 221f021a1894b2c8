// The lines of docs/comparison.md about the recipe and about MikroORM's callback.

import { createAuroraIam, withAuroraIam } from '@aurora-iam/mysql2'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { Signer } from '@aws-sdk/rds-signer'
import mysql, { type ConnectionOptions, type PoolOptions } from 'mysql2/promise'
import { afterEach, describe, expect, test } from 'vitest'

const aurora = await localAurora()
const pools: mysql.Pool[] = []

afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()))
})

/** Returns the options that threads and posts recommend, with a count of the tokens that were signed. */
function recipe(ssl: ConnectionOptions['ssl'] = { ca: aurora.ca }) {
  const { hostname, port, region, credentials } = aurora
  const signer = new Signer({ hostname, port, region, credentials, username: 'app' })
  const signed = { count: 0 }
  const options: PoolOptions = {
    host: aurora.host,
    port,
    user: 'app',
    database: 'app',
    ...(ssl && { ssl }),
    authPlugins: {
      mysql_clear_password: () => async () => {
        signed.count++
        return `${await signer.getAuthToken()}\0`
      },
    },
  }
  return { options, signed }
}

function poolOf(options: PoolOptions): mysql.Pool {
  const pool = mysql.createPool(options)
  pools.push(pool)
  return pool
}

async function logInTogether(options: PoolOptions, count: number): Promise<number> {
  const pool = poolOf({ ...options, connectionLimit: count })
  const opened = await Promise.allSettled(Array.from({ length: count }, () => pool.getConnection()))
  for (const one of opened) if (one.status === 'fulfilled') one.value.release()
  return opened.filter(({ status }) => status === 'rejected').length
}

const ours = () => {
  const iam = createAuroraIam({ ...aurora.iam, rateLimit: 20 })
  const { host, port } = aurora
  return { iam, options: withAuroraIam({ host, port, user: 'app', database: 'app' }, iam) as PoolOptions }
}

describe('the recipe: mysql2, authPlugins and one Signer', () => {
  test('20 connections at once: 20 signings, and one with aurora-iam', async () => {
    aurora.setThrottle(false)
    const { options, signed } = recipe()
    expect(await logInTogether(options, 20)).toBe(0)
    expect(signed.count).toBe(20)
    const { options: better, iam } = ours()
    expect(await logInTogether(better, 20)).toBe(0)
    expect(iam.stats().tokensSigned).toBe(1)
  })

  test('30 connections at a database that takes 20 a second: some are rejected, and none with aurora-iam', async () => {
    aurora.setThrottle(20)
    expect(await logInTogether(recipe().options, 30)).toBeGreaterThan(0)
    aurora.setThrottle(20)
    aurora.log.clear()
    expect(await logInTogether(ours().options, 30)).toBe(0)
    expect(aurora.log.refusals).toEqual([])
  })

  test.each([
    ['a certificate of another host', { certificate: 'wrong-name' }, undefined],
    ['no TLS, where `ssl` was forgotten', { tls: 'absent' }, false],
  ] as const)('a server with %s: it gets the token, and not with aurora-iam', async (_what, fault, ssl) => {
    aurora.setThrottle(false)
    aurora.faults.set(fault)
    const { options } = recipe(ssl === false ? (false as never) : undefined)
    await mysql.createConnection(options as ConnectionOptions).then(
      (connection) => connection.destroy(),
      () => {},
    )
    expect(aurora.log.tokensReceived).toBe(1)
    await expect(mysql.createConnection(ours().options as ConnectionOptions)).rejects.toThrow()
    expect(aurora.log.tokensReceived).toBe(1)
  })
})
