import { AuroraIamError, openTogether, type WarmUpOptions } from '@aurora-iam/core/adapter'
import type { DataSource } from 'typeorm'
import { poolSizeOf } from './typeorm-internals.ts'

/** Part of a DataSource that {@link warmUp} uses. It fits each version of TypeORM in a workspace. */
export interface WarmableDataSource extends Pick<DataSource, 'isInitialized'> {
  readonly options: object
  createQueryRunner(mode?: 'master'): { connect(): Promise<unknown>; release(): Promise<void> }
}

/**
 * Opens connections of a DataSource before they are needed: for a readiness probe, and after a deployment. They are
 * opened at the pace of the rate limit, behind connections that a request needs. With `replication` they lead to the
 * writer.
 *
 * ```ts
 * await dataSource.initialize()
 * await warmUp(dataSource, 10)
 * ```
 *
 * @param dataSource - a DataSource that is initialized
 * @param count - how many connections are open afterwards, from 1 to `poolSize`
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION` before `initialize()`, and for another `count`
 * @throws the first error of a connection that cannot be opened
 */
export async function warmUp(
  dataSource: WarmableDataSource,
  count: number,
  options?: WarmUpOptions,
): Promise<void> {
  if (!dataSource.isInitialized) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      'dataSource: not initialized, so there is no pool to fill. Call dataSource.initialize() before.',
      { option: 'dataSource' },
    )
  }
  const acquire = async () => {
    const runner = dataSource.createQueryRunner('master')
    await runner.connect()
    return runner
  }
  const size = poolSizeOf(dataSource.options)
  await openTogether({ acquire, release: (runner) => runner.release(), size }, count, options)
}
