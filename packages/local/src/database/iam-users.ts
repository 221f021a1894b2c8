import type { Socket } from 'node:net'
import { type Rewriting, WireError } from '@aurora-iam/wire'
import type { Account } from './accounts.ts'
import { openAdminSession } from './admin-session.ts'
import { UserStatements, type UserStatementsOptions } from './user-statements.ts'

/** "Too many connections", which is no answer about the user. */
const TOO_MANY_CONNECTIONS = 1040
/** Wrong password or unknown user, as MySQL and MariaDB report it, and a plugin that takes no password. */
const NOT_AUTHENTICATED = [1045, 1524, 1698]

/** Most cached users: clients can invent any number of names. */
const MAX_KNOWN = 1000

/**
 * The users of a database who log in with IAM. Aurora marks them by its plugin; here they are the users whose password
 * is the one that only Local Aurora knows.
 */
export class IamUsers {
  readonly #connect: () => Socket
  readonly #password: string
  readonly #statements: UserStatements
  /** Cached users, until a statement may have changed them. */
  readonly #known = new Map<string, boolean>()

  /** @param connect - Opens a connection to the database. */
  constructor(connect: () => Socket, options: UserStatementsOptions) {
    this.#connect = connect
    this.#password = options.iamPassword
    this.#statements = new UserStatements(options, () => this.#known.clear())
  }

  /** Returns the account with which a session of the user is opened in the database. */
  account(user: string): Account {
    return { user, password: this.#password }
  }

  /** Rewriting of the statements about users that a client sends. */
  get rewriting(): Rewriting {
    return this.#statements.rewriting
  }

  /**
   * Returns whether a user with a password must authenticate by `caching_sha2_password` where the database lacks it.
   */
  usesCachingSha2(user: string): boolean {
    return this.#statements.usesCachingSha2(user)
  }

  /**
   * Returns true if the user logs in with IAM, which a login shows. The database itself decides, by its rules for names
   * and hosts.
   *
   * @throws {@link WireError} when the database does not answer, or has no connection left
   */
  async has(user: string): Promise<boolean> {
    const known = this.#known.get(user) ?? (await this.#logsInWithIam(user))
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(user, known)
    return known
  }

  /** Records a user that was created now: the cached answer is out of date. */
  add(user: string): void {
    this.#known.set(user, true)
  }

  async #logsInWithIam(user: string): Promise<boolean> {
    try {
      const session = await openAdminSession(this.#connect(), this.account(user))
      session.end()
      return true
    } catch (error) {
      if (!(error instanceof WireError) || error.code !== 'ERR_WIRE_SERVER') throw error
      if (error.errno === TOO_MANY_CONNECTIONS) throw error
      // Any other error, such as that of a locked account, comes after the password was accepted.
      return !NOT_AUTHENTICATED.includes(error.errno ?? 0)
    }
  }
}
