import type { Connection, PoolConnection, QueryOptions } from 'mariadb'
import { MARIADB_ERRNO, pipelinesExecute, prepare } from '../connect/mariadb-internals.ts'
import { isRolledBackError, queryError, rolledBackError, unreadableAnswer } from '../errors.ts'

/** The server's answer to ROLLBACK. */
const ROLLED_BACK = { affectedRows: 0, insertId: 0n, warningStatus: 0 }
const RETURNING_METHODS: readonly PropertyKey[] = ['release', 'end', 'close', 'destroy', Symbol.asyncDispose]

/**
 * Returns a view of `connection` for its borrower. Closing the view returns the connection to the pool. After that no
 * other method of the view can be called, because the connection may have another borrower.
 *
 * @param rollBack - rolls back or ends the connection, in bounded time; resolves to false if it is no longer usable
 * @param onLost - called when the connection turns out to be unusable
 * @param onError - called with every error of a statement
 */
export function borrowedConnection(
  connection: Connection,
  {
    release,
    rollBack,
    onLost,
    onError,
  }: {
    release: () => Promise<void>
    rollBack: () => Promise<boolean>
    onLost: () => void
    onError: (error: unknown) => void
  },
): PoolConnection {
  let released: Promise<void> | undefined
  let isRolledBack = false
  const returnToPool = () => {
    released ??= release()
    return released
  }
  const explain = (reason: unknown): never => {
    // A statement that was not sent says nothing about the connection.
    if (isRolledBackError(reason)) throw reason
    onError(reason)
    const explained = queryError(reason)
    // mariadb throws an error without a number by mistake, in the middle of a packet that it sends or reads.
    if (explained !== reason || !('errno' in explained)) onLost()
    throw isRolledBack ? rolledBackError() : explained
  }
  // The server would commit a statement that follows ROLLBACK.
  const assertNotRolledBack = () => {
    if (isRolledBack) throw rolledBackError()
  }
  const query = async (...[sql, values]: Parameters<Connection['query']>) => {
    assertNotRolledBack()
    if (sqlOf(sql) !== 'ROLLBACK') return connection.query(sql, values).catch(explain)
    isRolledBack = true
    if (!(await rollBack())) onLost()
    return ROLLED_BACK
  }
  const execute = async (...[sql, values]: Parameters<Connection['execute']>) => {
    assertNotRolledBack()
    return prepareAndExecute({ connection, sql, values, onPrepared: assertNotRolledBack }).catch(explain)
  }
  const own = new Map<PropertyKey, unknown>([
    ['query', query],
    ['execute', execute],
    ['batch', (...args: Parameters<Connection['batch']>) => connection.batch(...args).catch(explain)],
    ...RETURNING_METHODS.map((name) => [name, returnToPool] as const),
  ])
  return new Proxy(connection, {
    get: (target, name) => {
      if (released && !RETURNING_METHODS.includes(name))
        throw new Error('This connection was returned to its pool.')
      if (own.has(name)) return own.get(name)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  }) as PoolConnection
}

function sqlOf(query: string | QueryOptions): string {
  return typeof query === 'string' ? query : query.sql
}

/**
 * Prepares and executes a statement in two steps. `execute` of mariadb throws, where no code can catch, at an answer to
 * PREPARE that it cannot read, unless it sends both commands at once.
 */
async function prepareAndExecute({
  connection,
  sql,
  values,
  onPrepared,
}: {
  connection: Connection
  sql: string | QueryOptions
  values: unknown
  /** Called before the statement is sent; throws if it must not be. */
  onPrepared: () => void
}): Promise<unknown> {
  if (pipelinesExecute(connection)) return connection.execute(sql, values)
  const statement = await prepare(connection, sql)
  try {
    if (!Number.isInteger(statement.parameterCount)) throw unreadableAnswer(MARIADB_ERRNO.UNEXPECTED_PACKET)
    onPrepared()
    return await statement.execute(values, typeof sql === 'string' ? undefined : sql)
  } finally {
    statement.close()
  }
}
