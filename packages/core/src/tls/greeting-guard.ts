import { AuroraIamError } from '../errors.ts'

/** A packet begins with its length, in so many bytes, and its number. */
const LENGTH_BYTES = 3
const HEADER_BYTES = LENGTH_BYTES + 1

/** Greetings, and the errors in place of one, have a few hundred bytes. */
const MAX_GREETING_BYTES = 0xff_ff

/**
 * Looks at what a server sends in clear, before TLS. Drivers believe every packet that came with the greeting: that the
 * login was accepted, and what a query answered. Any machine between here and the database could send them.
 */
export class GreetingGuard {
  #received = 0
  #greetingBytes = 0

  /** Returns the error to end the connection with, if all chunks so far are more than one greeting. */
  check(chunk: Uint8Array): AuroraIamError | undefined {
    for (let i = 0; i < chunk.length && this.#received + i < LENGTH_BYTES; i++) {
      this.#greetingBytes += (chunk[i] as number) * 256 ** (this.#received + i)
    }
    this.#received += chunk.length
    const isGreeting =
      this.#greetingBytes <= MAX_GREETING_BYTES && this.#received <= HEADER_BYTES + this.#greetingBytes
    if (isGreeting) return undefined
    return new AuroraIamError(
      'ERR_AURORA_IAM_TLS_REQUIRED',
      'What answers there sent more than the greeting of a MySQL server before TLS. It was not believed, and no token was sent. Check that `host` and `port` lead to the database, with nothing in between that speaks for it.',
    )
  }
}
