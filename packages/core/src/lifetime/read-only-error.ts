// ER_OPTION_PREVENTS_STATEMENT: the answer of an Aurora reader to a change, and so of a writer after its demotion.
const OPTION_PREVENTS_STATEMENT = 1290
// ER_READ_ONLY_MODE: the answer of a server that runs in read-only mode.
const READ_ONLY_MODE = 1836

/**
 * Returns true for the error of a server that takes no changes.
 *
 * 1792 (`ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION`) does not count: the transaction is the caller's own. 1290 counts
 * only where the option is `--read-only` or `--super-read-only`: the server sends the same number for other options.
 *
 * @see https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html
 */
export function isReadOnlyError(error: unknown): boolean {
  const { errno, message } = (error ?? {}) as { errno?: unknown; message?: unknown }
  if (errno === READ_ONLY_MODE) return true
  return errno === OPTION_PREVENTS_STATEMENT && /read[-_]only/i.test(String(message))
}
