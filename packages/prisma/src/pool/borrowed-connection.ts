import type { Connection, PoolConnection, QueryOptions } from 'mariadb'
import { ER_UNEXPECTED_PACKET, queryError, rolledBackError, unreadableAnswer } from '../errors.ts'

/** What the server says to ROLLBACK. */
const ROLLED_BACK = { affectedRows: 0, insertId: 0n, warningStatus: 0 }
const GIVE_BACK: readonly PropertyKey[] = ['release', 'end', 'close', 'destroy', Symbol.asyncDispose]

/**
 * `connection` as its user sees it until `release()`: to close it is to give it back, and nothing can be asked of it
 * afterwards, since somebody else may have it by then.
 *
 * @param rollBack - rolls back or ends the connection, in bounded time; resolves with whether it lives
 * @param onLost - the connection turned out to be of no more use
 */
export function lend(
  connection: Connection,
  {
    release,
    rollBack,
    onLost,
  }: { release: () => Promise<void>; rollBack: () => Promise<boolean>; onLost: () => void },
): PoolConnection {
  let released: Promise<void> | undefined
  let isRolledBack = false
  const giveBack = () => {
    released ??= release()
    return released
  }
  const explain = (reason: unknown): never => {
    const explained = queryError(reason)
    // What has no number mariadb did not mean to throw, and whatever it was about to send or to read is still to come.
    if (explained !== reason || !('errno' in explained)) onLost()
    throw isRolledBack ? rolledBackError() : explained
  }
  // What reaches the server behind ROLLBACK would be committed by itself.
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
    ...GIVE_BACK.map((name) => [name, giveBack] as const),
  ])
  return new Proxy(connection, {
    get: (target, name) => {
      if (released && !GIVE_BACK.includes(name))
        throw new Error('This connection was given back to its pool.')
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
 * As mariadb's own does, which however throws, where nobody catches, at an answer to PREPARE that it cannot read. A
 * MariaDB is sent both commands in one go, and that answer decides nothing.
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
  if (connection.info?.isMariaDB()) return connection.execute(sql, values)
  // Its types leave out the options of the query, and how many parameters it has.
  const statement = (await connection.prepare(sql)) as unknown as {
    readonly parameterCount: number
    execute(values: unknown, options: QueryOptions | undefined): Promise<unknown>
    close(): void
  }
  try {
    if (!Number.isInteger(statement.parameterCount)) throw unreadableAnswer(ER_UNEXPECTED_PACKET)
    onPrepared()
    return await statement.execute(values, typeof sql === 'string' ? undefined : sql)
  } finally {
    statement.close()
  }
}
