import { UsageError } from '../options/usage-error.ts'
import type { AccessTarget } from './access-target.ts'
import { identifier, literal } from './names.ts'

/** Privileges that a program needs for its data. */
const DEFAULT_PRIVILEGES = 'SELECT, INSERT, UPDATE, DELETE'

/**
 * Returns the SQL that creates the user and grants it privileges on the database.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html
 * @throws {@link UsageError} for privileges that SQL does not have, and for privileges without a database
 */
export function sqlFor(target: AccessTarget, granted?: string): string {
  const { user, database, kind, proxyMode } = target
  if (granted !== undefined && database === undefined)
    throw new UsageError('--grant: there is no database to grant it on. Give --database.')
  const privileges = granted ?? DEFAULT_PRIVILEGES
  if (!/^[A-Z]+( [A-Z]+){0,3}(, [A-Z]+( [A-Z]+){0,3})*$/.test(privileges))
    throw new UsageError('--grant: expected privileges as in SQL, such as SELECT, INSERT or ALL.')
  const account = `${literal(user)}@'%'`
  // In the standard mode of an RDS Proxy the proxy logs in with a password. The server generates it and shows it once.
  const identified =
    kind === 'proxy' && proxyMode === 'standard'
      ? 'IDENTIFIED BY RANDOM PASSWORD'
      : "IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'"
  // In a GRANT, unlike elsewhere, the name of a database is a pattern.
  const scope = database === undefined ? '*.*' : `${identifier(database.replace(/[\\_%]/g, '\\$&'))}.*`
  return [
    `CREATE USER ${account} ${identified} REQUIRE SSL;`,
    ...(database === undefined ? [] : [`GRANT ${privileges} ON ${scope} TO ${account};`]),
    '',
  ].join('\n')
}
