interface PrismaErrorEntry {
  /** True if the same call can succeed later with nothing changed in the configuration. */
  readonly retryable: boolean
  readonly meaning: string
  readonly remedy: string
}

/**
 * The closed list of Prisma's codes that this package gives to an error. The type of the codes is derived from it, and
 * the table of `docs/prisma-errors.md` is tested against it.
 *
 * @see https://www.prisma.io/docs/orm/reference/error-reference
 */
export const prismaErrors = {
  P1000: {
    retryable: false,
    meaning: 'the database rejected the login (1045)',
    remedy: 'run `npx aurora-iam doctor`',
  },
  P1001: {
    retryable: true,
    meaning: 'the database is unreachable, unresponsive, or closed the connection during the login',
    remedy: 'connect again',
  },
  P1003: { retryable: false, meaning: 'the server has no such database', remedy: 'check `database`' },
  P1010: { retryable: false, meaning: 'the user has no access to the database', remedy: 'grant it' },
  P1011: {
    retryable: false,
    meaning: 'the certificate, its name, or TLS itself was not verified',
    remedy: 'check `ca`, `host` and `hostname`',
  },
  P1017: {
    retryable: true,
    meaning: 'the connection was lost while a query ran',
    remedy: 'repeat reads; a write may have been executed',
  },
  P2024: {
    retryable: true,
    meaning: 'no connection within `acquireTimeoutMs`',
    remedy: 'run fewer queries at once, or raise `connectionLimit` or the limit',
  },
  P2028: {
    retryable: true,
    meaning: 'the transaction could not start, ran too long, or was ended',
    remedy: 'repeat it, if its callback has no side effects',
  },
  P2037: {
    retryable: true,
    meaning: 'the database has too many connections (1040, 1203, 1226)',
    remedy: 'repeat it later; open fewer connections',
  },
} as const satisfies Record<string, PrismaErrorEntry>

/** One of Prisma's codes that this package gives to an error. */
export type PrismaErrorCode = keyof typeof prismaErrors
