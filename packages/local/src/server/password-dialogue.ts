import {
  AUTH_SWITCH_MARKER,
  decodeAuthSwitchRequest,
  encodeAuthMoreData,
  encodeAuthSwitchRequest,
  SCRAMBLE_BYTES,
  scrambleNativePassword,
} from '@aurora-iam/wire'
import type { Client } from './client.ts'

/** Steps of caching_sha2_password: https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html */
const FAST_PATH_ACCEPTED = 3
const FULL_PATH_WANTED = 4

/** Dialogue about a password: the database asks, and the client answers. */
export class PasswordDialogue {
  readonly #client: Client
  readonly #emulatesCachingSha2: boolean
  #gavePassword = false

  /** @param emulatesCachingSha2 - Asks the client by `caching_sha2_password` for a database that lacks it. */
  constructor(client: Client, emulatesCachingSha2: boolean) {
    this.#client = client
    this.#emulatesCachingSha2 = emulatesCachingSha2
  }

  /** True if the client gave a password, for the message of a rejection. */
  get gavePassword(): boolean {
    return this.#gavePassword
  }

  /** Passes a request of the database on to the client. Returns the answer; undefined if none is expected. */
  async answer(request: Buffer): Promise<Buffer | undefined> {
    if (request[0] !== AUTH_SWITCH_MARKER) {
      this.#client.channel.write(request)
      return request[1] === FAST_PATH_ACCEPTED ? undefined : this.#read()
    }
    if (this.#emulatesCachingSha2) return this.#answerByCachingSha2(decodeAuthSwitchRequest(request).data)
    this.#client.channel.write(request)
    return this.#read()
  }

  /** Takes the full path, over the client's TLS. The database gets the scramble that it asked for. */
  async #answerByCachingSha2(data: Buffer): Promise<Buffer> {
    const { channel } = this.#client
    channel.write(encodeAuthSwitchRequest({ authPlugin: 'caching_sha2_password', data }))
    const fast = await this.#read()
    if (fast.length <= 1) return Buffer.alloc(0)
    channel.write(encodeAuthMoreData(Buffer.from([FULL_PATH_WANTED])))
    const password = (await this.#read()).toString().replace(/\0$/, '')
    return scrambleNativePassword(password, data.subarray(0, SCRAMBLE_BYTES))
  }

  async #read(): Promise<Buffer> {
    const { payload } = await this.#client.read()
    // An empty password is nothing, or a NUL alone.
    this.#gavePassword ||= payload.length > 1
    return payload
  }
}
