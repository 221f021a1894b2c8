import { channel } from 'node:diagnostics_channel'

/** Which database endpoint and user an event is about. */
export interface EndpointEvent {
  readonly hostname: string
  readonly port: number
  readonly username: string
}

/** `aurora-iam:token`: a token was signed (not: served from the cache). */
export interface TokenEvent extends EndpointEvent {
  readonly region: string | undefined
  /** How long resolving credentials and signing took. */
  readonly durationMs: number
}

/** `aurora-iam:permit`: a new connection got its place under the rate limit. */
export interface PermitEvent extends EndpointEvent {
  readonly waitedMs: number
}

/** `aurora-iam:connect`: a new connection logged in. */
export interface ConnectEvent extends EndpointEvent {
  /** From the permit to the server's OK. */
  readonly durationMs: number
}

/** `aurora-iam:connect-failed`: a new connection did not come about. */
export interface ConnectFailedEvent extends EndpointEvent {
  /** How far it came. */
  readonly stage: 'token' | 'permit' | 'login'
  /** The error of this library, of the driver or of the server. */
  readonly error: Error
  readonly durationMs: number
}

/** `aurora-iam:retire`: a connection of a pool is closed now, or when it returns to the pool. */
export interface RetireEvent extends EndpointEvent {
  /** `lifetime`: it reached `maxLifetimeMs`. `moved`: its endpoint leads elsewhere. `read-only`: its server was demoted. */
  readonly reason: 'lifetime' | 'moved' | 'read-only'
}

/**
 * The `node:diagnostics_channel` channels of this library, by name. No event carries a token or a key. Publishing
 * costs nothing while nobody subscribes.
 */
export const channels = {
  token: channel('aurora-iam:token'),
  permit: channel('aurora-iam:permit'),
  connect: channel('aurora-iam:connect'),
  'connect-failed': channel('aurora-iam:connect-failed'),
  retire: channel('aurora-iam:retire'),
} as const

/** What each channel carries. */
export interface ChannelEvents {
  token: TokenEvent
  permit: PermitEvent
  connect: ConnectEvent
  'connect-failed': ConnectFailedEvent
  retire: RetireEvent
}

/** Publishes on a channel; `event` is only built when somebody listens. */
export function publish<Name extends keyof ChannelEvents>(
  name: Name,
  event: () => ChannelEvents[Name],
): void {
  const target = channels[name]
  if (target.hasSubscribers) target.publish(event())
}
