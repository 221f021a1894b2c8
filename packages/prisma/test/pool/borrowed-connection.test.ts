import type { Connection } from 'mariadb'
import { expect, test } from 'vitest'
import { borrowedConnection } from '../../src/pool/borrowed-connection.ts'

/** Borrows a connection with these methods. Returns what its pool is told. */
function borrow(methods: object) {
  const told: unknown[] = []
  const borrowed = borrowedConnection(methods as Connection, {
    release: async () => void told.push('release'),
    rollBack: async () => true,
    onLost: () => told.push('lost'),
    onError: (error) => told.push(error),
  })
  return { borrowed, told }
}

const numbered = (errno: number, fatal = false): Error => Object.assign(new Error('why'), { errno, fatal })

test.each([
  ['an error of the server', numbered(1062), false],
  ['an error that ends the connection', numbered(45_009, true), true],
  ['an error that mariadb threw by mistake', new TypeError('a mistake'), true],
  ['a bare number of mariadb', 45_011, true],
])('%s: reported, and the connection is lost or not', async (_what, reason, isLost) => {
  for (const name of ['query', 'batch'] as const) {
    const { borrowed, told } = borrow({ [name]: () => Promise.reject(reason) })
    await expect(borrowed[name]('DO 1')).rejects.toThrow()
    expect(told).toEqual(isLost ? [reason, 'lost'] : [reason])
  }
})

test('a statement on MySQL: executed with the options of the query, if it has any, and closed', async () => {
  const calls: unknown[] = []
  const statement = {
    parameterCount: 1,
    execute: async (...args: unknown[]) => void calls.push(args),
    close: () => calls.push('close'),
  }
  const info = { isMariaDB: () => false }
  const { borrowed } = borrow({ info, prepare: async () => statement })
  const options = { sql: 'DO ?', rowsAsArray: true }
  await borrowed.execute('DO ?', [1])
  await borrowed.execute(options, [2])
  expect(calls).toEqual([[[1], undefined], 'close', [[2], options], 'close'])
})

test('a statement that fails on MySQL: closed', async () => {
  let isClosed = false
  const statement = {
    parameterCount: 0,
    execute: () => Promise.reject(numbered(1062)),
    close: () => {
      isClosed = true
    },
  }
  const { borrowed, told } = borrow({ info: { isMariaDB: () => false }, prepare: async () => statement })
  await expect(borrowed.execute('DO 1')).rejects.toMatchObject({ errno: 1062 })
  expect([isClosed, told.length]).toEqual([true, 1])
})
