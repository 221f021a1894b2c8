import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { AuthPlugin, PoolOptions } from 'mysql2'

/**
 * Options of mysql2's `createPool`, `createConnection` and `cluster.add`. They fit each version of mysql2 in a
 * workspace: the versions declare the classes that a plugin meets separately, which makes them different types.
 */
export interface Mysql2Options extends Omit<PoolOptions, 'authPlugins'> {
  /** Plugins that answer the server during the login, by name. */
  authPlugins?: Record<string, AnyAuthPlugin>
}

/** A plugin of any version of mysql2: it answers the server with what the function that it returns gives. */
// biome-ignore lint/suspicious/noExplicitAny: it stands for the metadata of every version.
export type AnyAuthPlugin = (metadata: any) => ReturnType<AuthPlugin>

/** The settings of one connection, as mysql2 hands them to `stream` and keeps them in `connection.config`. */
export interface ConnectionSettings {
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  readonly ssl: { readonly rejectUnauthorized?: boolean; readonly verifyIdentity?: boolean } | false
  readonly enableKeepAlive: boolean
  readonly keepAliveInitialDelay: number | undefined
  /** True if mysql2 prints every packet. */
  readonly debug?: unknown
  /** True if the connection compresses, once it is logged in. */
  readonly compress?: unknown
  /** Sent to the server; mysql2 puts its own version among them. */
  readonly connectAttributes?: { readonly _client_version?: unknown } | undefined
}

/**
 * The slice of a mysql2 connection that an authentication plugin meets. mysql2's own types leave out `stream` and
 * `_commands`, and call `command` a string.
 */
export interface AuthenticatingConnection {
  readonly connection: EventEmitter & {
    readonly config: ConnectionSettings
    /** The TLS socket once the connection is encrypted; since mysql2 3.14.4. */
    readonly stream: Socket & { readonly encrypted?: boolean; readonly authorized?: boolean }
    /** The commands that wait for the current one to end. */
    readonly _commands: { readonly length: number; pop(): unknown; unshift(command: unknown): void }
    query(
      options: {
        readonly sql: string
        readonly rowsAsArray: true
        readonly nestTables: false
        readonly typeCast: true
      },
      callback: (
        error: (Error & { readonly fatal?: boolean }) | null,
        rows: ReadonlyArray<readonly unknown[]>,
      ) => void,
    ): unknown
  }
  /** The command that logs in: it emits `error` when the server refuses, and `end` in any case. */
  readonly command: EventEmitter
}

/** The three options that carry everything through each library that is built on mysql2. */
export interface ConnectionHooks {
  readonly stream: (options: { readonly config: ConnectionSettings }) => Socket
  readonly authPlugins: Readonly<Record<string, AuthPlugin>>
}
