import { MAX_DATABASE_CHARACTERS } from './names.ts'

/** User and password of a database account. */
export interface Account {
  readonly user: string
  readonly password: string
}

/** The accounts of a private database. */
export interface Accounts {
  /** Users who log in with IAM, with every right on the database. */
  readonly iamUsers: readonly Account[]
  /** Administrator with the rights of Aurora's master user, who cannot write to a reader. */
  readonly admin: Account
  /** Account of Local Aurora itself, with every right. */
  readonly internal: Account
}

/**
 * Returns the SQL that creates a database and its accounts. It has one statement a line, as init files require. It
 * drops the administrator without a password that MariaDB's installer creates.
 *
 * @param isReplicated - True if the server is one of a pair.
 */
export function createAccountsSql(
  database: string,
  { iamUsers, admin, internal }: Accounts,
  isReplicated = false,
): string {
  const master = userName(admin.user)
  const replicator = `${literal(internal.user)}@'127.0.0.1'`
  return lines(
    ...(isReplicated
      ? [
          // Each server of a pair runs these statements, so they are not replicated.
          'SET sql_log_bin = OFF;',
          `CREATE USER ${replicator} IDENTIFIED BY ${literal(internal.password)};`,
          `GRANT ALL ON *.* TO ${replicator};`,
        ]
      : []),
    `CREATE DATABASE IF NOT EXISTS ${identifier(database)};`,
    `CREATE USER ${literal(internal.user)}@localhost IDENTIFIED BY ${literal(internal.password)};`,
    `GRANT ALL ON *.* TO ${literal(internal.user)}@localhost WITH GRANT OPTION;`,
    `CREATE USER ${master} IDENTIFIED BY ${literal(admin.password)};`,
    `GRANT ALL ON *.* TO ${master} WITH GRANT OPTION;`,
    `REVOKE SUPER, FILE, SHUTDOWN ON *.* FROM ${master};`,
    // SUPER includes it before this version.
    `/*M!100502 REVOKE READ_ONLY ADMIN ON *.* FROM ${master} */;`,
    ...iamUsers.flatMap((account) => createIamUserSql(database, account).map((statement) => `${statement};`)),
    'DROP USER IF EXISTS root@localhost;',
  )
}

/** Returns the statements that create a user for IAM with every right on a database. */
export function createIamUserSql(database: string, { user, password }: Account): [string, string] {
  // In a GRANT, unlike elsewhere, the name of a database is a pattern, of no more characters than a name.
  const escaped = database.replace(/[\\_%]/g, '\\$&')
  const pattern = identifier(escaped.length > MAX_DATABASE_CHARACTERS ? database : escaped)
  return [
    `CREATE USER ${userName(user)} IDENTIFIED BY ${literal(password)}`,
    `GRANT ALL ON ${pattern}.* TO ${userName(user)}`,
  ]
}

/** Returns the SQL that makes the server read-only, or writable again. */
export function readOnlySql(readOnly: boolean): string {
  return lines(`SET GLOBAL read_only = ${readOnly ? 'ON' : 'OFF'};`)
}

function lines(...statements: string[]): string {
  return [...statements, ''].join('\n')
}

function userName(user: string): string {
  return `${literal(user)}@'%'`
}

function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

function literal(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`
}
