/**
 * ER_OPTION_PREVENTS_STATEMENT: the answer of an Aurora reader to a change, and so of a writer after its demotion.
 *
 * @see https://repost.aws/knowledge-center/aurora-mysql-db-cluser-read-only-error
 */
const OPTION_PREVENTS_STATEMENT = 1290
/**
 * ER_READ_ONLY_MODE: InnoDB's answer to a change of a table's definition with `innodb_read_only`, as readers have it.
 *
 * @see https://github.com/go-sql-driver/mysql/pull/1660
 */
const READ_ONLY_MODE = 1836

/**
 * Returns true for the error of a server that takes no changes.
 *
 * 1792 (`ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION`) does not count: the transaction is the caller's own. 1290 counts
 * only where the option is `--read-only` or `--super-read-only`: the server sends the same number for other options.
 * The wrappers of AWS take the same two numbers for a demoted writer. No other number of Aurora is known.
 *
 * @see https://github.com/aws/aws-advanced-nodejs-wrapper/blob/main/mysql/lib/mysql_error_handler.ts
 * @see https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
 */
export function isReadOnlyError(error: unknown): boolean {
  const { errno, message } = (error ?? {}) as { errno?: unknown; message?: unknown }
  if (errno === READ_ONLY_MODE) return true
  return errno === OPTION_PREVENTS_STATEMENT && /read[-_]only/i.test(String(message))
}
