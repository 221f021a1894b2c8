import { AuroraIamError, describe, ownProperties, type WarmUpOptions } from '@aurora-iam/core/adapter'
import { Prisma } from '@prisma/client/extension'
import { isLostOutsideTransaction, markRepeated } from './errors.ts'
import type { AuroraIamStatus } from './status.ts'

/** Options of `extension()`. */
export interface AuroraIamExtensionOptions {
  /**
   * Retries `findMany`, `count` and the other reads of models once if their connection is lost while they run, as in a
   * failover. Reads in a transaction and raw SQL are never retried. @defaultValue false
   */
  readonly retryReads?: boolean | undefined
}

/** Opens connections before they are needed; see `AuroraIamPrisma.warmUp`. */
export type WarmUp = (count: number, options?: WarmUpOptions) => Promise<void>

/** Members of `prisma.$iam`. */
export interface AuroraIamClientMembers {
  /** Returns the numbers of connections and of waiting queries, and counts of what happened. */
  readonly status: () => AuroraIamStatus
  /** Opens connections before they are needed, at the pace of the rate limit. */
  readonly warmUp: WarmUp
}

/** Extension for `prisma.$extends`, which adds `prisma.$iam`. */
export type AuroraIamExtension = (client: ExtendableClient) => ExtendedClient

type ExtendableClient = Parameters<ReturnType<typeof defineExtension>>[0]

/** Result of the extension, for `$extends`. */
export type ExtendedClient = ReturnType<ReturnType<typeof defineExtension>>

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

/**
 * Returns the client extension with `$iam` and the retry of reads.
 *
 * @throws {@link AuroraIamError} for an invalid option, and for a release of @prisma/client that is not supported
 */
export function createExtension(
  given: AuroraIamExtensionOptions,
  members: AuroraIamClientMembers,
): AuroraIamExtension {
  const options = ownProperties(given)
  assertExtensionOptions(options)
  assertClient(Prisma.prismaVersion.client)
  return defineExtension(members, options.retryReads ?? false)
}

function defineExtension(members: AuroraIamClientMembers, retryReads: boolean) {
  return Prisma.defineExtension({
    name: 'aurora-iam',
    client: { $iam: members },
    query: {
      async $allOperations({ model, operation, args, query }) {
        const isRead = model !== undefined && READS.has(operation)
        if (!retryReads || !isRead) return query(args)
        try {
          return await query(args)
        } catch (error) {
          if (!isLostOutsideTransaction(error)) throw error
          return query(args).catch((again: unknown) => {
            markRepeated(again)
            throw again
          })
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
 * Throws for a release of @prisma/client that this package does not support.
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
