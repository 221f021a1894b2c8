import { UsageError } from '../options/usage-error.ts'

/** Longest name of a user, in characters: https://dev.mysql.com/doc/refman/8.0/en/user-names.html */
const LONGEST_USER = 32

/**
 * Refuses a name that SQL, JSON, Terraform or an ARN could read as more than a name.
 *
 * @throws {@link UsageError} which does not repeat the name
 */
export function assertName(name: string, option: string, longest: number): void {
  if (name.length <= longest && /^[A-Za-z0-9_][A-Za-z0-9_.@$+-]*$/.test(name)) return
  throw new UsageError(
    `${option}: expected at most ${longest} of the characters A-Z a-z 0-9 _ . @ $ + -, the first a letter, digit or _.`,
  )
}

/** Refuses a name that no database user can have. @throws {@link UsageError} as {@link assertName} */
export function assertUser(user: string, option: string): void {
  assertName(user, option, LONGEST_USER)
}

/** Returns a SQL string literal. */
export function literal(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`
}

/** Returns a SQL identifier. */
export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}
