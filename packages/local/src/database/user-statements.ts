import type { Rewriting } from '@aurora-iam/wire'

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html */
const QUERY_COMMAND = 0x03
/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html */
const PREPARE_COMMAND = 0x16

/** Longest statement that is translated: those about users are short. */
const MAX_STATEMENT_BYTES = 64 * 1024

const NAME = `(?:'(?:[^'\\\\]|\\\\.|'')*'|"(?:[^"\\\\]|\\\\.|"")*"|\`(?:[^\`]|\`\`)*\`|[^\\s'"\`@,;()]{1,80})`
const STRING = `'(?:[^'\\\\]|\\\\.|'')*'`
const plugin = (name: string): string =>
  `IDENTIFIED\\s+WITH\\s+(?:'${name}'|"${name}"|\`${name}\`|${name}\\b)`

/** Words of statements about users. Most statements have none of them and are not searched further. */
const MAY_CONCERN_USERS = /\b(?:USERS?|GRANT|PASSWORD|IDENTIFIED)\b/i

/** Parts of statements to change, and literals and comments, in which nothing is changed. */
const PARTS = new RegExp(
  [
    `(?<iam>${plugin('AWSAuthenticationPlugin')}(?:\\s+(?:AS|USING|BY)\\s+${STRING})?)(?<requireSsl>\\s+REQUIRE\\s+SSL\\b)?`,
    `(?<account>(?<user>${NAME})(?:\\s*@\\s*${NAME})?\\s+)${plugin('(?:mysql_native_password|caching_sha2_password)')}\\s+BY\\s+(?<password>${STRING})`,
    STRING,
    '"(?:[^"\\\\]|\\\\.|"")*"',
    '`(?:[^`]|``)*`',
    '/\\*(?!!)[\\s\\S]*?\\*/',
    '(?:--\\s|#)[^\\n]*',
  ].join('|'),
  'gi',
)

/** Facts of a database for {@link UserStatements}. */
export interface UserStatementsOptions {
  /** Password of every IAM user in the database. */
  readonly iamPassword: string
  /** True if the database is a MariaDB, which lacks two clauses of MySQL and `caching_sha2_password`. */
  readonly isMariaDb: boolean
  /** True if connections to the database use TLS. Without it `REQUIRE SSL` in the database would reject them. */
  readonly hasTls: boolean
}

/**
 * Translation of Aurora MySQL's statements about users for a database without its plugin.
 * `IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'` becomes a password that only Local Aurora knows. For MariaDB,
 * `IDENTIFIED WITH mysql_native_password BY` and `IDENTIFIED WITH caching_sha2_password BY` are translated as well.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html
 */
export class UserStatements {
  readonly #options: UserStatementsOptions
  readonly #cachingSha2Users = new Set<string>()
  readonly #onUserChange: () => void

  /** @param onUserChange - Called before each statement that may create, change or drop a user. */
  constructor(options: UserStatementsOptions, onUserChange: () => void = () => {}) {
    this.#options = options
    this.#onUserChange = onUserChange
  }

  /** Rewriting of the statements that a client sends, for a relay. */
  get rewriting(): Rewriting {
    return {
      commands: [QUERY_COMMAND, PREPARE_COMMAND],
      maxPayloadBytes: MAX_STATEMENT_BYTES,
      // One character a byte, so that bytes in any character set stay unchanged.
      rewrite: (payload) => Buffer.from(this.translate(payload.toString('latin1')), 'latin1'),
    }
  }

  /** Returns whether a client must authenticate as this user by `caching_sha2_password` where MariaDB lacks it. */
  usesCachingSha2(user: string): boolean {
    return this.#cachingSha2Users.has(user)
  }

  /** Translates one or more statements. Those that are not about users stay unchanged. */
  translate(sql: string): string {
    if (!MAY_CONCERN_USERS.test(sql)) return sql
    this.#onUserChange()
    return sql.replace(PARTS, (part, ...rest) => {
      const groups = rest.at(-1) as Record<string, string | undefined>
      const { iam, requireSsl = '', account, user, password } = groups
      const { iamPassword, isMariaDb, hasTls } = this.#options
      if (iam !== undefined) return `IDENTIFIED BY '${iamPassword}'${hasTls ? requireSsl : ''}`
      if (account === undefined || user === undefined || !isMariaDb) return part
      const name = unquoted(user)
      if (/caching_sha2_password['"`]?\s+BY\s+'/i.test(part)) this.#cachingSha2Users.add(name)
      else this.#cachingSha2Users.delete(name)
      return `${account}IDENTIFIED BY ${password}`
    })
  }
}

/** Returns the name of a user in a statement, without its quotes. */
function unquoted(name: string): string {
  const quote = name[0] as string
  const inner = `'"\``.includes(quote) ? name.slice(1, -1).replaceAll(quote + quote, quote) : name
  return Buffer.from(quote === '`' ? inner : inner.replace(/\\(.)/g, '$1'), 'latin1').toString()
}
