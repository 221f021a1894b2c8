import { channel } from 'node:diagnostics_channel'
import type { RateLimitEvents } from '@aurora-iam/rate-limit'

/** Which database endpoint and user an event is about. */
export interface EndpointEvent {
  readonly hostname: string
  readonly port: number
  readonly username: string
}

/** `aurora-iam:token`: a token was signed (not: returned from the cache). */
export interface TokenEvent extends EndpointEvent {
  readonly region: string | undefined
  /** Milliseconds that resolving credentials and signing took. */
  readonly durationMs: number
}

/**
 * `aurora-iam:token-failed`: no token could be signed. A refresh in the background is reported here alone, while the
 * cached token is still valid: logins fail when it has expired.
 */
export interface TokenFailedEvent extends TokenEvent {
  readonly error: Error
}

/**
 * `aurora-iam:rate-limit:permit`: a permit was granted, released, cancelled, or has expired. Published by the rate
 * limiter, which knows the key of the limit and no user.
 */
export type PermitEvent = RateLimitEvents['aurora-iam:rate-limit:permit']

/** Id of the permit of a login, the same as in the events of the channel `aurora-iam:rate-limit:permit`. */
export interface PermitHolderEvent extends EndpointEvent {
  /** The permit that the login had last; undefined without a rate limit, and for a login that never had one. */
  readonly permitId: string | undefined
}

/** `aurora-iam:connect`: a new connection logged in. */
export interface ConnectEvent extends PermitHolderEvent {
  /** From the permit to the server's OK. */
  readonly durationMs: number
}

/** `aurora-iam:connect-failed`: a new connection was not established, for whatever reason. */
export interface ConnectFailedEvent extends PermitHolderEvent {
  /** The step that failed. */
  readonly stage: 'token' | 'permit' | 'login'
  /** The error of this library, of the driver or of the server. */
  readonly error: Error
  readonly durationMs: number
}

/** `aurora-iam:retire`: a connection of a pool is closed now, or when it returns to the pool. */
export interface RetireEvent extends EndpointEvent {
  /**
   * `lifetime`: it reached `maxLifetimeMs`. `moved`: its endpoint leads elsewhere. `read-only`: its server was demoted.
   * `dead`: its server vanished, and the connection has failed.
   */
  readonly reason: 'lifetime' | 'moved' | 'read-only' | 'dead'
}

/**
 * The `node:diagnostics_channel` channels of this library, by name. No event carries a token or a key. Publishing
 * costs nothing without a subscriber.
 */
export const channels = {
  token: channel('aurora-iam:token'),
  'token-failed': channel('aurora-iam:token-failed'),
  connect: channel('aurora-iam:connect'),
  'connect-failed': channel('aurora-iam:connect-failed'),
  retire: channel('aurora-iam:retire'),
} as const

/** Event of each channel. */
export interface ChannelEvents {
  token: TokenEvent
  'token-failed': TokenFailedEvent
  connect: ConnectEvent
  'connect-failed': ConnectFailedEvent
  retire: RetireEvent
}

/** Publishes on a channel. `event` is built only for a subscriber. */
export function publish<Name extends keyof ChannelEvents>(
  name: Name,
  event: () => ChannelEvents[Name],
): void {
  const target = channels[name]
  if (target.hasSubscribers) target.publish(event())
}
