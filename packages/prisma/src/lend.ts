import type { Connection, PoolConnection } from 'mariadb'
import { queryError } from './errors.ts'

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
    if (explained !== reason) onLost()
    throw explained
  }
  const own = new Map<PropertyKey, unknown>([
    ['query', (...args: Parameters<Connection['query']>) => connection.query(...args).catch(explain)],
    ['execute', (...args: Parameters<Connection['execute']>) => connection.execute(...args).catch(explain)],
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
