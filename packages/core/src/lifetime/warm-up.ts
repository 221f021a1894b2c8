import { AuroraIamError } from '../errors.ts'
import { inBackground } from '../permit/lane.ts'
import { describe } from '../util/describe.ts'
import { ownProperties } from '../util/own-properties.ts'

/** Options of `warmUp`, in every adapter. */
export interface WarmUpOptions {
  /** Called after each connection, with the count of those that are open and of those that were asked for. */
  readonly onProgress?: (opened: number, count: number) => void
}

/** The two actions of a pool that {@link openTogether} needs. */
export interface WarmUpPool<Connection> {
  acquire(): Promise<Connection>
  release(connection: Connection): void | Promise<void>
  /** The most connections that the pool can hold. */
  readonly size: number
}

/**
 * Holds `count` connections of a pool at the same time, so that the pool opens that many, then releases them. They wait
 * for their permits behind connections that a request needs.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` for a count that the pool cannot hold
 * @throws the first error of the pool or of `onProgress`, after every connection has been released
 */
export async function openTogether<Connection>(
  pool: WarmUpPool<Connection>,
  count: number,
  options: WarmUpOptions = {},
): Promise<void> {
  const { onProgress } = ownProperties(options)
  if (!Number.isInteger(count) || count < 1 || count > pool.size) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      `count: expected a whole number from 1 to ${pool.size}, the size of the pool, got ${describe(count, { showNumber: true })}.`,
      { option: 'count' },
    )
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      `onProgress: expected a function (opened, count) => void, got ${describe(onProgress)}.`,
      { option: 'onProgress' },
    )
  }
  const connections: Connection[] = []
  const acquiring = Array.from({ length: count }, async () => {
    connections.push(await inBackground(() => pool.acquire()))
    onProgress?.(connections.length, count)
  })
  const results = await Promise.allSettled(acquiring)
  await Promise.all(connections.map((connection) => pool.release(connection)))
  const failed = results.find((one) => one.status === 'rejected')
  if (failed) throw failed.reason
}
