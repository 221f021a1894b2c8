import { LocalAuroraError } from '../errors.ts'
import { quote } from '../printable.ts'

/** Longest name of a user: https://dev.mysql.com/doc/refman/8.0/en/user-names.html */
const MAX_USER_CHARACTERS = 32
/** Longest name of a database: https://dev.mysql.com/doc/refman/8.0/en/identifier-length.html */
export const MAX_DATABASE_CHARACTERS = 64

/** Reserved names: administrators, and the users that MariaDB and MySQL create. */
const RESERVED_USERS = [
  'admin',
  'rdsadmin',
  'root',
  'mysql',
  'mariadb.sys',
  'mysql.sys',
  'mysql.session',
  'mysql.infoschema',
  'public',
]
const RESERVED_DATABASES = ['information_schema', 'mysql', 'performance_schema', 'sys']

/**
 * Checks the names of the users to create.
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION` for what the database would refuse, or change
 */
export function checkUserNames(users: unknown): void {
  if (!Array.isArray(users) || users.length === 0) {
    throw invalid('users', 'expected an array with the names of one user or more')
  }
  for (const user of users) {
    checkName('users', user, MAX_USER_CHARACTERS)
    if (RESERVED_USERS.includes(user.toLowerCase())) {
      throw invalid('users', `${quote(user)} is reserved for the database itself; choose another name`)
    }
  }
  if (new Set(users).size < users.length) throw invalid('users', 'a name stands there twice; leave one out')
}

/**
 * Checks the name of the database to create.
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION` for what the database would refuse, or change
 */
export function checkDatabaseName(database: unknown): void {
  checkName('database', database, MAX_DATABASE_CHARACTERS)
  if (RESERVED_DATABASES.includes(database.toLowerCase())) {
    throw invalid('database', `${quote(database)} is a database of the server itself; choose another name`)
  }
}

function checkName(option: string, name: unknown, maxCharacters: number): asserts name is string {
  if (typeof name !== 'string' || name === '') throw invalid(option, 'expected a name that is not empty')
  if ([...name].length > maxCharacters) {
    throw invalid(option, `${quote(name)} has ${[...name].length} characters, the limit is ${maxCharacters}`)
  }
  if (name !== name.trim()) {
    throw invalid(
      option,
      `${quote(name)} begins or ends with a blank, which the database ignores; remove the blank`,
    )
  }
  if (/[\p{Cc}\p{Cs}\u{10000}-\u{10ffff}]/u.test(name)) {
    throw invalid(option, `${quote(name)} has a character that names cannot have: controls, or beyond U+FFFF`)
  }
}

function invalid(option: string, problem: string): LocalAuroraError {
  return new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', `${option}: ${problem}`, { option })
}
