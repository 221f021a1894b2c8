import type { Connection, PoolConnection, QueryOptions } from 'mariadb'
import { ER_UNEXPECTED_PACKET, queryError, unreadableAnswer } from './errors.ts'

const GIVE_BACK: readonly PropertyKey[] = ['release', 'end', 'close', 'destroy', Symbol.asyncDispose]

/**
 * `connection` as its user sees it until `release()`: to close it is to give it back, and nothing can be asked of it
 * afterwards, since somebody else may have it by then.
 *
 * @param onLost - the connection turned out to be of no more use
 */
export function lend(
  connection: Connection,
  { release, onLost }: { release: () => Promise<void>; onLost: () => void },
): PoolConnection {
  let released: Promise<void> | undefined
  const giveBack = () => {
    released ??= release()
    return released
  }
  const explain = (reason: unknown): never => {
    const explained = queryError(reason)
    // What has no number mariadb did not mean to throw, and whatever it was about to send or to read is still to come.
    if (explained !== reason || !('errno' in explained)) onLost()
    throw explained
  }
  const own = new Map<PropertyKey, unknown>([
    ['query', (...args: Parameters<Connection['query']>) => connection.query(...args).catch(explain)],
    ['execute', (...args: Parameters<Connection['execute']>) => execute(connection, ...args).catch(explain)],
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

/**
 * As mariadb's own does, which however throws, where nobody catches, at an answer to PREPARE that it cannot read. A
 * MariaDB is sent both commands in one go, and that answer decides nothing.
 */
async function execute<T>(connection: Connection, sql: string | QueryOptions, values?: unknown): Promise<T> {
  if (connection.info?.isMariaDB()) return connection.execute<T>(sql, values)
  // Its types leave out the options of the query, and how many parameters it has.
  const statement = (await connection.prepare(sql)) as unknown as {
    readonly parameterCount: number
    execute(values: unknown, options: QueryOptions | undefined): Promise<T>
    close(): void
  }
  try {
    if (!Number.isInteger(statement.parameterCount)) throw unreadableAnswer(ER_UNEXPECTED_PACKET)
    return await statement.execute(values, typeof sql === 'string' ? undefined : sql)
  } finally {
    statement.close()
  }
}
