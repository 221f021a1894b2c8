import { AuroraIamError } from '@aurora-iam/core'
import { describe } from '@aurora-iam/core/adapter'
import { Prisma } from '@prisma/client/extension'
import { isLostOutsideTransaction } from './errors.ts'
import type { AuroraIamStatus } from './status.ts'

/** The options of `extension()`. */
export interface AuroraIamExtensionOptions {
  /**
   * Whether `findMany`, `count` and the other reads of models are repeated once if their connection is lost while they
   * run, as in a failover. Never in a transaction, never raw SQL. @defaultValue false
   */
  readonly retryReads?: boolean | undefined
}

const READS: ReadonlySet<string> = new Set([
  'findUnique',
  'findUniqueOrThrow',
  'findFirst',
  'findFirstOrThrow',
  'findMany',
  'count',
  'aggregate',
  'groupBy',
])

/** The client extension behind `extension()`: `$iam`, and the repetition of reads. */
export function createExtension(options: AuroraIamExtensionOptions, status: () => AuroraIamStatus) {
  assertExtensionOptions(options)
  assertClient(Prisma.prismaVersion.client)
  const isRetrying = options.retryReads ?? false
  return Prisma.defineExtension({
    name: 'aurora-iam',
    client: { $iam: { status } },
    query: {
      async $allOperations({ model, operation, args, query }) {
        const isRead = model !== undefined && READS.has(operation)
        if (!isRetrying || !isRead) return query(args)
        try {
          return await query(args)
        } catch (error) {
          if (!isLostOutsideTransaction(error)) throw error
          return query(args)
        }
      },
    },
  })
}

function assertExtensionOptions(options: AuroraIamExtensionOptions): void {
  const unknown = Object.keys(options).find((name) => name !== 'retryReads')
  if (unknown !== undefined) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_UNKNOWN_OPTION',
      `${unknown}: not an option of extension(). Known: retryReads.`,
      { option: unknown },
    )
  }
  const { retryReads } = options
  if (retryReads !== undefined && typeof retryReads !== 'boolean') {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_INVALID_OPTION',
      `retryReads: expected true or false, got ${describe(retryReads)}.`,
      { option: 'retryReads' },
    )
  }
}

/**
 * Refuses a @prisma/client that this package was not made for.
 *
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_INVALID_OPTION`
 */
export function assertClient(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major === 7 && minor >= 10) return
  throw new AuroraIamError(
    'ERR_AURORA_IAM_INVALID_OPTION',
    `@prisma/client: this is ${version}. Use 7.10 or a later 7 (npm install @prisma/client@^7.10 prisma@^7.10).`,
    { option: '@prisma/client' },
  )
}
