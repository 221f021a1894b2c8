import { AuroraIamError } from '@aurora-iam/core'
import { isDriverAdapterError } from '@prisma/driver-adapter-utils'
import { SqlError } from 'mariadb'
import { describe, expect, test } from 'vitest'
import {
  connectError,
  exhaustedError,
  isLostOutsideTransaction,
  isRolledBackError,
  outsideTransaction,
  PrismaDriverError,
  queryError,
  rolledBackError,
} from '../src/errors.ts'

const DESTINATION = { host: 'db.example', port: 3306, user: 'app' }

/** Creates an error as mariadb does. Its types hide the constructor. */
function sqlError(
  errno: number,
  { message = 'why', fatal = false, sql = null as string | null } = {},
): Error {
  const Class = SqlError as unknown as new (...args: unknown[]) => Error
  return new Class(message, sql, fatal, null, 'HY000', errno)
}

describe('why a connection could not be opened', () => {
  test.each([
    [1045, 'P1000', 'AuthenticationFailed'],
    [1040, 'P2037', 'TooManyConnections'],
    [1203, 'P2037', 'TooManyConnections'],
    [1226, 'P2037', 'TooManyConnections'],
    [1044, 'P1010', 'DatabaseAccessDenied'],
    [1049, 'P1003', 'DatabaseDoesNotExist'],
    [45009, 'P1001', 'DatabaseNotReachable'],
    [45012, 'P1001', 'DatabaseNotReachable'],
    [45023, 'P1011', 'TlsConnectionError'],
    [45059, 'P1011', 'TlsConnectionError'],
  ] as const)('a connection error %i: %s', (errno, code, kind) => {
    const error = sqlError(errno)
    const mapped = connectError(error, DESTINATION)
    expect(mapped).toBeInstanceOf(PrismaDriverError)
    expect(mapped).toMatchObject({
      code,
      cause: { kind, originalCode: String(errno), originalMessage: 'why' },
    })
    expect(mapped.message).toMatch(/db\.example:3306.*: why$/)
    expect((mapped as PrismaDriverError).driverError).toBe(error)
    // What Prisma takes for one is P2010 where it comes of raw SQL.
    expect(isDriverAdapterError(mapped)).toBe(false)
  })

  test.each([
    ['ECONNREFUSED', { syscall: 'connect', errno: -111 }, 'P1001'],
    ['ENOTFOUND', { syscall: 'getaddrinfo', errno: -3008 }, 'P1001'],
    ['ECONNREFUSED', { errors: [] }, 'P1001'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', {}, 'P1011'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', {}, 'P1011'],
    // As on Bun.
    ['CERT_HAS_EXPIRED', { errno: -10, syscall: 'connect' }, 'P1011'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', { errno: 21 }, 'P1011'],
  ] as const)('a connection error %s: of the network or of TLS', (code, more, mapped) => {
    expect(connectError(Object.assign(new Error(''), { code, ...more }), DESTINATION)).toMatchObject({
      code: mapped,
    })
  })

  test.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
  ])('the code %s alone: P1001 with host and port', (code) => {
    const error = Object.assign(new Error('why'), { code })
    expect(connectError(error, DESTINATION)).toMatchObject({
      code: 'P1001',
      cause: { kind: 'DatabaseNotReachable', host: 'db.example', port: 3306, originalCode: code },
    })
  })

  test('an error without a number and a code: left to the adapter', () => {
    const error = new Error('why')
    expect(connectError(error, DESTINATION)).toBe(error)
    expect(connectError(Object.assign(error, { code: '' }), DESTINATION)).toBe(error)
  })

  test('an error without a number: one of TLS, with its reason', () => {
    const error = Object.assign(new Error('why'), { code: 'ANY' })
    expect(connectError(error, DESTINATION)).toMatchObject({
      code: 'P1011',
      cause: { kind: 'TlsConnectionError', reason: 'why' },
    })
  })

  test('a rejected login: the message names the user, if there is one', () => {
    const error = sqlError(1045)
    expect(connectError(error, DESTINATION).message).toContain('rejected the login of app: ')
    expect(connectError(error, { ...DESTINATION, user: undefined }).message).toContain('rejected the login: ')
    expect(connectError(error, DESTINATION)).toMatchObject({ cause: { user: 'app' } })
    expect(connectError(sqlError(1040), DESTINATION)).toMatchObject({ cause: { cause: 'why' } })
  })

  test.each([
    ['the words of the server', { message: 'conn 7: why', sqlMessage: 'why' }, 'why'],
    ['no words: the code', { message: '', code: 'ECONNRESET' }, 'ECONNRESET'],
    ['neither: the name', { message: '', errno: 1045 }, 'Error'],
  ])('an error with %s: in the message', (_what, more, why) => {
    const error = Object.assign(new Error(), { errno: 1045, ...more })
    expect(connectError(error, DESTINATION).message).toMatch(new RegExp(`: ${why}$`))
  })

  test('an error of TLS with the number 0, as on Bun: the original code is its name', () => {
    const error = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED', errno: 0 })
    expect(connectError(error, DESTINATION)).toMatchObject({
      code: 'P1011',
      cause: { originalCode: 'CERT_HAS_EXPIRED' },
    })
  })

  test('another error of the server: left to the adapter', () => {
    const error = sqlError(1130)
    expect(connectError(error, DESTINATION)).toBe(error)
  })

  test('an AuroraIamError: unchanged, and in meta as well', () => {
    const error = new AuroraIamError('ERR_AURORA_IAM_RATE_LIMITED', 'no place', { retryAfterMs: 5 })
    const copy = connectError(error, DESTINATION)
    expect(copy).toBeInstanceOf(AuroraIamError)
    expect(copy).toMatchObject({ code: error.code, message: 'no place', meta: { auroraIamError: error } })
  })
})

describe('why a query failed', () => {
  test.each([
    ['mariadb says that the socket was closed', sqlError(45009, { fatal: true })],
    ['mariadb says that the connection is closed', sqlError(45013, { fatal: true })],
    ['the server is shutting down', sqlError(1053)],
    ['the server killed the connection', sqlError(1927)],
    ['the network', Object.assign(new Error('reset'), { errno: -104, code: 'ECONNRESET', fatal: true })],
    ['an answer that mariadb cannot read, of which it gives the number alone', 45011],
  ])('%s: the connection is lost', (_what, error) => {
    const mapped = queryError(error)
    expect(mapped).toMatchObject({ code: 'P1017', cause: { kind: 'ConnectionClosed' } })
    expect(isLostOutsideTransaction(mapped)).toBe(false)
    expect(isLostOutsideTransaction(outsideTransaction(mapped))).toBe(true)
  })

  test.each<readonly [details: object, isLost: boolean]>([
    [{ fatal: true }, true],
    [{ fatal: true, errno: 44_999 }, false],
    [{ fatal: true, errno: 45_000 }, true],
    [{ fatal: true, errno: 45_999 }, true],
    [{ fatal: true, errno: 46_000 }, false],
    [{ fatal: true, errno: 0 }, true],
    [{ fatal: true, errno: 1 }, false],
    [{ fatal: false, errno: 45_009 }, false],
    [{}, false],
    ...[1053, 1927, 2006, 2013, 4031].map((errno) => [{ errno }, true] as const),
  ])('a query error with %j: lost is %s', (details, isLost) => {
    const error = Object.assign(new Error('why'), details)
    const mapped = queryError(error)
    if (!isLost) expect(mapped).toBe(error)
    else
      expect(mapped).toMatchObject({ code: 'P1017', message: 'The connection to the database was lost: why' })
  })

  test('an error of another code, or of no query: not one of a lost connection', () => {
    const mapped = outsideTransaction(queryError(sqlError(45009, { fatal: true })))
    const wrapped = { code: 'P1017', meta: { driverAdapterError: mapped } }
    expect(isLostOutsideTransaction(wrapped)).toBe(true)
    expect(isLostOutsideTransaction({ ...wrapped, code: 'P2024' })).toBe(false)
    expect(isLostOutsideTransaction({ code: 'P1017' })).toBe(false)
    expect(isLostOutsideTransaction({ code: 'P1017', meta: {} })).toBe(false)
  })

  test.each([1062, 1213, 1317])('a query error %i: left to the adapter', (errno) => {
    const error = sqlError(errno, { fatal: true })
    expect(queryError(error)).toBe(error)
    expect(isLostOutsideTransaction(outsideTransaction(error))).toBe(false)
  })
})

test('no connection in time: the error has the state of the pool, and the error of the last connection', () => {
  expect(exhaustedError('too long.', { connectionLimit: 2 }, undefined)).toEqual(
    Object.assign(new Error('too long.'), { code: 'P2024', meta: { connectionLimit: 2 } }),
  )
  const cause = Object.assign(new Error('unreachable'), { code: 'P1001' })
  const error = exhaustedError('too long.', { connectionLimit: 2 }, cause)
  expect(error).toMatchObject({
    ...{ code: 'P2024', message: 'too long. The last new connection failed: unreachable', cause },
    meta: { connectionLimit: 2, lastConnectError: { code: 'P1001', message: 'unreachable' } },
  })
})

test('an error of a rolled back transaction: known again by its code', () => {
  expect(rolledBackError()).toMatchObject({ code: 'P2028' })
  expect(isRolledBackError(rolledBackError())).toBe(true)
  for (const other of [new Error('why'), undefined, 45_011]) expect(isRolledBackError(other)).toBe(false)
})

test('an error logged as JSON: without the values of the query', () => {
  const mapped = queryError(sqlError(45009, { fatal: true, sql: "SELECT 'a secret'" }))
  const { meta } = mapped as PrismaDriverError
  expect(JSON.stringify([mapped, meta])).not.toContain('a secret')
})
