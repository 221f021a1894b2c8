/** A database account, for the MySQL login of the front. */
export interface Account {
  readonly user: string
  readonly password: string
}

/**
 * The SQL that creates a database and accounts with every right on it, where they are not there yet; one statement a
 * line, as init files want. The accounts cannot write if the server is `readOnly`.
 */
export function accountsSql(database: string, accounts: readonly Account[], readOnly = false): string {
  // In a GRANT, unlike elsewhere, the name of a database is a pattern.
  const pattern = identifier(database.replace(/[\\_%]/g, '\\$&'))
  return [
    `CREATE DATABASE IF NOT EXISTS ${identifier(database)};`,
    ...accounts.flatMap(({ user, password }) => [
      `CREATE USER IF NOT EXISTS ${literal(user)}@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD(${literal(password)});`,
      `GRANT ALL ON ${pattern}.* TO ${literal(user)}@'%';`,
    ]),
    `SET GLOBAL read_only = ${readOnly ? 'ON' : 'OFF'};`,
    '',
  ].join('\n')
}

function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

function literal(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`
}
