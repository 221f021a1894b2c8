// The smallest adapter that fulfils the contract: a pool for the `mariadb` driver. docs/writing-an-adapter.md explains
// it step by step. Copy it, and replace the driver.
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import { adapterIam } from '@aurora-iam/core/adapter'
import { type Connection, createConnection } from 'mariadb'
import { Pool } from 'tarn'

/** The driver's own options. */
export interface SkeletonOptions {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly connectionLimit: number
  /** Longest time of a login, in milliseconds. @defaultValue 10000 */
  readonly connectTimeout?: number
}

/** Options in the shape that the pool takes. */
export interface SkeletonSettings {
  readonly connectionLimit: number
  readonly open: () => Promise<Connection>
}

/** Returns settings of a pool whose connections log in with IAM. It opens nothing, and throws for invalid options. */
export function withAuroraIam(
  options: SkeletonOptions,
  iam?: AuroraIam | AuroraIamOptions,
): SkeletonSettings {
  const { host, port, user, database, connectionLimit, connectTimeout = 10_000 } = options
  const shared = adapterIam(iam)
  const target = shared.resolve({ host, port, user })
  const { ca, minVersion, rejectUnauthorized, rest } = shared.tls(target, undefined)
  // Created once: it parses the certificates.
  const secureContext = createSecureContext({ ...rest, ca, minVersion } as SecureContextOptions)
  const ssl = { secureContext, ca, rejectUnauthorized, servername: target.hostname }
  const writerCheck = shared.writerCheck(target)

  const open = async (): Promise<Connection> => {
    // The token is cached and the permit is acquired. No socket is open yet.
    const login = await shared.login(target)
    let connection: Connection | undefined
    try {
      // Only for a driver that verifies the TLS peer before it sends the password. For others, see `login.getToken()`.
      const { value: password } = await login.tokenBeforeConnect()
      const config = { ...login.dial(), user, database, password, connectTimeout, permitRedirect: false }
      connection = await createConnection({ ...config, ssl: { ...ssl } as object })
      // Without a listener mariadb throws what happens between queries.
      connection.on('error', () => {})
      if (writerCheck) {
        const [row] = await connection.query({ sql: writerCheck.sql, rowsAsArray: true })
        const refusal = writerCheck.refusal(row[0])
        if (refusal) throw refusal
      }
      login.succeed()
      return connection
    } catch (error) {
      login.fail(error as Error)
      connection?.destroy()
      throw error
    }
  }
  return { connectionLimit, open: () => shared.retryRejected(open) }
}

/** Pool of such connections. Its fields are private, so that printing it shows no token. */
export class SkeletonPool {
  readonly #tarn: Pool<Connection>

  constructor({ connectionLimit, open }: SkeletonSettings) {
    this.#tarn = new Pool({
      create: open,
      destroy: (connection) => connection.end(),
      validate: (connection) => connection.isValid(),
      min: 0,
      max: connectionLimit,
      // The waits for a token, a permit and a login have separate time limits.
      acquireTimeoutMillis: 120_000,
      createTimeoutMillis: 120_000,
      // A connection that fails fails one caller, with its error.
      propagateCreateError: true,
    })
  }

  acquire(): Promise<Connection> {
    return this.#tarn.acquire().promise
  }

  release(connection: Connection): void {
    this.#tarn.release(connection)
  }

  end(): Promise<unknown> {
    return this.#tarn.destroy()
  }
}
