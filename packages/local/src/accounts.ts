/** A database account, for the MySQL login of the front. */
export interface Account {
  readonly user: string
  readonly password: string
}

/** The SQL that creates a database and accounts with every right on it; one statement a line, as init files want. */
export function accountsSql(database: string, accounts: readonly Account[]): string {
  // In a GRANT, unlike elsewhere, the name of a database is a pattern.
  const pattern = identifier(database.replace(/[\\_%]/g, '\\$&'))
  return [
    `CREATE DATABASE ${identifier(database)};`,
    ...accounts.flatMap(({ user, password }) => [
      `CREATE USER ${literal(user)}@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD(${literal(password)});`,
      `GRANT ALL ON ${pattern}.* TO ${literal(user)}@'%';`,
    ]),
    '',
  ].join('\n')
}

function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

function literal(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`
}
