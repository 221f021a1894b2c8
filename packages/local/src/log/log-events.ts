import { printable, quote } from '../printable.ts'

/**
 * Reason why a token is rejected, as Aurora's `iam-db-auth-error` log names it:
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
 */
export type IamRefusal =
  | 'InvalidToken'
  | 'ExpiredToken'
  | 'NotAuthorized'
  | 'ThrottlingException'
  | 'InternalError'

/** Reason why a login is rejected. `AccessDenied`: the user is unknown, or has a password and gave a wrong one. */
export type RefusalReason = IamRefusal | 'AccessDenied'

/** Connection and time of an event. */
export interface LogMoment {
  /** Number of the connection, counted from 1; 0 for an event of the database. */
  readonly connection: number
  /** The time by Local Aurora's clock, which a test may move. */
  readonly at: Date
  /** Milliseconds on the machine's monotonic clock, which nothing moves. */
  readonly atMs: number
}

/** Trace of a token in the log. The token itself is never in it. */
export interface TokenTrace {
  /** The user who wants to log in. */
  readonly user: string
  /** The first 12 hexadecimal digits of the token's SHA-256. */
  readonly fingerprint: string
  /** The host that the token was signed for, if it can be read. */
  readonly hostname?: string
  /** The port that the token was signed for, if it can be read. */
  readonly port?: number
  /** The last four characters of the access key id that signed, if it can be read. */
  readonly accessKeyId?: string
}

/** A client connected. Every connection begins with this event and ends with {@link ClosedEvent}. */
export interface ConnectionEvent extends LogMoment {
  readonly type: 'connection'
  readonly remoteAddress: string
}

/** TLS was established: the client accepted the certificate. */
export interface TlsEvent extends LogMoment {
  readonly type: 'tls'
  /** Such as `TLSv1.3`. */
  readonly protocol: string
  /** The server name that the client asked for. */
  readonly servername?: string
  /** True if the client resumed an earlier TLS session. */
  readonly resumed: boolean
}

/** A client tried to log in without TLS, and got the error that requires it. */
export interface PlaintextEvent extends LogMoment {
  readonly type: 'plaintext'
  readonly user: string
}

/** A token arrived, valid or not. */
export interface TokenEvent extends LogMoment, TokenTrace {
  readonly type: 'token'
  /** False if the token came in the clear: it must then count as stolen. */
  readonly encrypted: boolean
}

/** A token was accepted and the session opened. */
export interface LoginEvent extends LogMoment, TokenTrace {
  readonly type: 'login'
}

/** A token was accepted for an open session, by COM_CHANGE_USER. */
export interface ChangeUserEvent extends LogMoment, TokenTrace {
  readonly type: 'change-user'
}

/** The database accepted the password of a user who does not log in with IAM. */
export interface PasswordLoginEvent extends LogMoment {
  readonly type: 'password-login'
  readonly user: string
  readonly during: 'login' | 'change-user'
}

/** The private database ended without being closed. No client can log in any more. */
export interface DatabaseEndedEvent extends LogMoment {
  readonly type: 'database-ended'
  /** The end of the log of the database. */
  readonly detail: string
}

/**
 * State of the cluster changed: it paused, a connection began to wake it, it resumed, or another server became the
 * writer.
 */
export interface ClusterEvent extends LogMoment {
  readonly type: 'paused' | 'resuming' | 'resumed' | 'failover' | 'switchover'
}

/** A login was rejected. The client got `1045 Access denied` and no reason. */
export interface ConnectFailedEvent extends LogMoment, Omit<TokenTrace, 'fingerprint'> {
  readonly type: 'refusal'
  readonly reason: RefusalReason
  /** The fault, in one sentence. */
  readonly detail: string
  /** Absent when no token came. */
  readonly fingerprint?: string
  /** The step that was rejected. */
  readonly during: 'login' | 'change-user'
}

/** A connection ended. */
export interface ClosedEvent extends LogMoment {
  readonly type: 'closed'
  /** The side that ended the connection. */
  readonly by: 'client' | 'server'
  /** The last step that it reached. */
  readonly phase: 'greeting' | 'tls' | 'auth' | 'session'
  /** An error code or a few words, if it did not end cleanly. */
  readonly detail?: string
}

/** One line of the log. */
export type LogEvent =
  | ConnectionEvent
  | TlsEvent
  | PlaintextEvent
  | TokenEvent
  | LoginEvent
  | ChangeUserEvent
  | PasswordLoginEvent
  | ConnectFailedEvent
  | DatabaseEndedEvent
  | ClusterEvent
  | ClosedEvent

/** Omits from each member of a union. */
type OmitEach<Union, Keys extends PropertyKey> = Union extends unknown ? Omit<Union, Keys> : never

/** An event without its time, which the log adds. */
export type LogEntry = OmitEach<LogEvent, 'at' | 'atMs'>

/** Returns one readable line for an event. Characters of a client that would control a terminal are escaped. */
export function formatEvent(event: LogEvent): string {
  return `${event.at.toISOString()} #${event.connection} ${printable(describe(event))}`
}

function describe(event: LogEvent): string {
  switch (event.type) {
    case 'connection':
      return `connection from ${event.remoteAddress}`
    case 'tls':
      return `${event.protocol}${event.resumed ? ' resumed' : ''} for ${event.servername ?? 'no name'}`
    case 'plaintext':
      return `${quote(event.user)} came without TLS and was sent away`
    case 'token':
      return `token ${event.fingerprint} for ${quote(event.user)}${event.encrypted ? '' : ' IN THE CLEAR'}`
    case 'login':
      return `login of ${describeToken(event)}`
    case 'change-user':
      return `change to ${describeToken(event)}`
    case 'password-login':
      return `${event.during} of ${quote(event.user)} by password`
    case 'database-ended':
      return event.detail
    case 'paused':
    case 'resuming':
    case 'resumed':
    case 'failover':
    case 'switchover':
      return event.type
    case 'refusal':
      return `${event.reason}: ${event.during} of ${quote(event.user)}: ${event.detail}`
    case 'closed':
      return `closed by ${event.by} in ${event.phase}${event.detail === undefined ? '' : `: ${event.detail}`}`
  }
}

function describeToken(trace: TokenTrace): string {
  const { user, fingerprint, hostname, port, accessKeyId } = trace
  return `${quote(user)}, token ${fingerprint} signed for ${hostname}:${port} by …${accessKeyId}`
}
