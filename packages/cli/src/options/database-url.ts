import { assertEncodedPassword } from './encoded-password.ts'
import { UsageError } from './usage-error.ts'

/** Parts of a database URL. A password in it is not read. */
export interface DatabaseUrl {
  readonly host: string
  readonly port: string | undefined
  readonly user: string | undefined
  readonly database: string | undefined
}

/**
 * Returns the parts of `DATABASE_URL`, or undefined if it is not set.
 *
 * @throws {@link UsageError} which quotes nothing of the URL: it may hold a password
 */
export function readDatabaseUrl(text: string | undefined): DatabaseUrl | undefined {
  if (text === undefined || text === '') return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^(mysql|mariadb)2?:$/.test(url.protocol) || url.hostname === '') {
    throw new UsageError(
      'DATABASE_URL: expected a URL in the form mysql://user@host:3306/database. Correct it, or give --host and --user.',
    )
  }
  assertEncodedPassword(url, 'DATABASE_URL')
  return {
    host: decode(url.hostname),
    port: url.port || undefined,
    user: decode(url.username) || undefined,
    database: decode(url.pathname.slice(1)) || undefined,
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new UsageError('DATABASE_URL: a percent sign in it is not followed by two hexadecimal digits.')
  }
}
