import { connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import {
  type AdapterIam,
  AuroraIamError,
  type ConnectionTarget,
  deadPeers,
  KEEP_ALIVE_MS,
  type LoginAttempt,
  linkSignals,
} from '@aurora-iam/core/adapter'
import {
  Capability,
  type ConnectAttributes,
  changeUser,
  type Greeting,
  login,
  PacketChannel,
  readGreeting,
  type Session,
} from '@aurora-iam/wire'
import { startTls } from './start-tls.ts'

/** Time limit of a login: the server closes the connection after 10 seconds (`connect_timeout`). */
const LOGIN_TIMEOUT_MS = 10_000

/**
 * Bytes that a stream buffers. Node's default, 16 KB, is one TLS record, and each record would pause the other side.
 */
export const BUFFER_BYTES = 256 * 1024

/** Wishes of a client for its session. */
export interface SessionWish {
  /** Bits of wire's `Capability`. */
  readonly capabilities: number
  readonly database: string | undefined
  readonly collation: number
  readonly attributes: ConnectAttributes | undefined
}

/**
 * Connection to the database that holds a permit and has been greeted. The token goes over it in {@link logIn}, after
 * TLS is verified.
 */
export class Upstream {
  readonly greeting: Greeting
  /** Time at which the connection was opened, on the monotonic clock. The server waits 10 seconds for a login. */
  readonly openedAt = performance.now()
  readonly #iam: AdapterIam
  readonly #attempt: LoginAttempt
  readonly #socket: Socket
  readonly #channel: PacketChannel
  #secured: TLSSocket | undefined
  #session: Session | undefined

  private constructor(
    iam: AdapterIam,
    attempt: LoginAttempt,
    connection: { socket: Socket; channel: PacketChannel; greeting: Greeting },
  ) {
    this.#iam = iam
    this.#attempt = attempt
    this.#socket = connection.socket
    this.#channel = connection.channel
    this.greeting = connection.greeting
  }

  /**
   * Waits for a permit, connects, and reads the greeting.
   *
   * @param waiting - Ends the wait for the permit. A connection that has one is opened nevertheless, for another
   * client.
   * @param closing - Ends the wait and the connection.
   * @throws {@link AuroraIamError} without a permit or a token; WireError with the error of the server; an error of the
   * network
   */
  static async open(
    iam: AdapterIam,
    target: ConnectionTarget,
    waiting: AbortSignal,
    closing: AbortSignal,
  ): Promise<Upstream> {
    const { signal, unlink } = linkSignals([waiting, closing])
    const attempt = await iam.login(target, { signal }).finally(unlink)
    let socket: Socket | undefined
    try {
      // The caller's `dial` may throw.
      const address = attempt.dial()
      socket = connect({ ...address, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS })
      attempt.trackConnect()
      // The channel reports it to its reader.
      socket.on('error', () => {})
      deadPeers.watch(socket)
      const channel = new PacketChannel(socket)
      const greeting = await withinLoginTime(socket, closing, readGreeting(channel))
      await attempt.confirmPermit()
      return new Upstream(iam, attempt, { socket, channel, greeting })
    } catch (error) {
      socket?.destroy()
      attempt.fail(error as Error)
      throw error
    }
  }

  /** True if the server still waits for the login: 5 of its 10 seconds are left. */
  get isFresh(): boolean {
    const isOpen = !this.#socket.destroyed && !this.#socket.readableEnded
    return isOpen && performance.now() - this.openedAt < LOGIN_TIMEOUT_MS / 2
  }

  /** The stream to relay, after {@link logIn}. */
  get stream(): TLSSocket {
    if (this.#secured === undefined) throw new Error('there is no stream to relay before the login')
    return this.#secured
  }

  /**
   * Logs in with a live token, over verified TLS.
   *
   * @throws the errors of {@link Upstream.open}: the same object that events and statistics have
   */
  async logIn(wish: SessionWish, signal: AbortSignal): Promise<Session> {
    const { target } = this.#attempt
    let token = ''
    try {
      const policy = this.#iam.tls(target)
      const session = login(this.#channel, this.greeting, {
        user: target.username,
        // `login` reads it after `startTls`, so that a token is signed for a verified server alone.
        get password() {
          return token
        },
        ...(wish.database !== undefined && { database: wish.database }),
        attributes: wish.attributes,
        collation: wish.collation,
        capabilities: wish.capabilities | Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA,
        plugins: ['mysql_clear_password'],
        startTls: async () => {
          this.#secured = await startTls(this.#socket, target.hostname, policy, BUFFER_BYTES)
          token = (await this.#attempt.token()).value
          return new PacketChannel(this.#secured)
        },
      })
      this.#session = await withinLoginTime(this.#socket, signal, session)
      this.#attempt.succeed()
      return this.#session
    } catch (error) {
      this.destroy()
      this.#attempt.fail(error as Error)
      throw error
    }
  }

  /**
   * Logs the open session in again with a live token, as COM_CHANGE_USER asks.
   *
   * @throws the errors of {@link Upstream.open}
   */
  async changeUser(wish: Omit<SessionWish, 'capabilities'>, signal: AbortSignal): Promise<Session> {
    if (this.#session === undefined) throw new Error('there is no session whose user could change')
    const attempt = await this.#iam.loginAgain(this.#attempt.target, { signal })
    try {
      const { value: password } = await attempt.token()
      const channel = new PacketChannel(this.stream)
      const { database = '', collation, attributes } = wish
      const identity = { user: attempt.target.username, password, database, collation, attributes }
      const changed = changeUser({ ...this.#session, channel }, identity)
      this.#session = await withinLoginTime(this.#socket, signal, changed)
      channel.release()
      attempt.succeed()
      return this.#session
    } catch (error) {
      attempt.fail(error as Error)
      throw error
    }
  }

  /** Closes a connection that no client used. */
  discard(): void {
    this.destroy()
    this.#attempt.abandon()
  }

  /** Closes the connection. */
  destroy(): void {
    this.#secured?.destroy()
    this.#socket.destroy()
  }
}

/** Destroys the connection when `step` takes too long or `signal` aborts, so that `step` rejects. */
async function withinLoginTime<T>(socket: Socket, signal: AbortSignal, step: Promise<T>): Promise<T> {
  let reason: Error | undefined
  const abort = (): void => {
    reason ??= new AuroraIamError('ERR_AURORA_IAM_ABORTED', 'The client left before it was logged in.')
    socket.destroy()
  }
  const timer = setTimeout(() => {
    reason = Object.assign(new Error(`no answer within ${LOGIN_TIMEOUT_MS} ms`), { code: 'ETIMEDOUT' })
    socket.destroy()
  }, LOGIN_TIMEOUT_MS)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  try {
    return await step
  } catch (error) {
    throw reason ?? error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}
