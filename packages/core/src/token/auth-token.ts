/** Dates of a token, read from its query string. */
export interface TokenDates {
  /** `X-Amz-Date`: when it was signed. */
  readonly signedAt: Date
  /** `X-Amz-Date` + `X-Amz-Expires`: when it expires at the database. */
  readonly expiresAt: Date
}

// Node documents it for code that does not import `node:util`, all of which would be loaded for it.
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/**
 * IAM authentication token, which the database accepts in place of a password. Printing, inspecting or serialising one
 * shows when it expires, never its value.
 */
export class AuthToken {
  readonly #value: string
  /**
   * When it expires at the database: 15 minutes after it was signed, or with the credentials that signed it if those
   * expire sooner.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html
   */
  readonly expiresAt: Date

  constructor(value: string, expiresAt: Date) {
    this.#value = value
    this.expiresAt = expiresAt
  }

  /** The token itself. It is a secret: give it to the driver, over verified TLS, and to nothing else. */
  get value(): string {
    return this.#value
  }

  toJSON(): { expiresAt: Date } {
    return { expiresAt: this.expiresAt }
  }

  toString(): string {
    return `AuthToken <redacted, expires ${this.expiresAt.toISOString()}>`
  }

  [INSPECT](): string {
    return this.toString()
  }
}

/**
 * Returns when a presigned token was signed and when it expires, or undefined for one without dates, which
 * SigV4 did not sign.
 */
export function readTokenDates(token: string): TokenDates | undefined {
  const date = /[?&]X-Amz-Date=(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(token)
  const expires = /[?&]X-Amz-Expires=(\d{1,6})(&|$)/.exec(token)
  if (!date || !expires) return undefined
  const [, year, month, day, hour, minute, second] = date
  const signedMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(signedMs)) return undefined
  return { signedAt: new Date(signedMs), expiresAt: new Date(signedMs + Number(expires[1]) * 1000) }
}
