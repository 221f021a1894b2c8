import type { FaultSettings } from '../faults/faults.ts'
import { parseToken } from '../iam/parse-token.ts'
import type { Throttle } from '../iam/throttle.ts'
import { tokenFingerprint, type Verdict } from '../iam/verify-token.ts'
import type { RefusalReason, TokenTrace } from '../log/log-events.ts'
import type { LoginLog } from '../log/login-log.ts'

/** Log, throttle and verifier, which decide about logins. */
export interface Gatekeeper {
  readonly log: LoginLog
  readonly throttle: Throttle
  verify(token: string, user: string): Verdict
}

/** A login, or a change of user, as it reached the server. */
export interface LoginAttempt {
  readonly connection: number
  readonly user: string
  readonly during: 'login' | 'change-user'
  /** Password that the client sent; empty if it sent none. */
  readonly token: string
  readonly faults: FaultSettings
}

/** Records the token of an attempt, if it has one. `encrypted` is true for a token that came over TLS. */
export function recordToken(attempt: LoginAttempt, encrypted: boolean, log: LoginLog): void {
  const { connection, user, token } = attempt
  if (token !== '') log.record({ type: 'token', connection, encrypted, ...traceOf(token, user) })
}

/** Returns true for an attempt that is accepted. Records the reason of a rejection, which the client does not get. */
export function judge(attempt: LoginAttempt, gatekeeper: Gatekeeper): boolean {
  if (attempt.token === '') {
    refuse(attempt, 'InvalidToken', 'the client sent no token', gatekeeper.log)
    return false
  }
  const verdict = decide(attempt, gatekeeper)
  if (!verdict.accepted) refuse(attempt, verdict.reason, verdict.detail, gatekeeper.log)
  return verdict.accepted
}

/** Records a login that succeeded. */
export function recordSuccess(attempt: LoginAttempt, log: LoginLog): void {
  const { connection, user, during, token } = attempt
  log.record({ type: during, connection, ...traceOf(token, user) })
}

/** Records a login that was rejected. */
export function refuse(attempt: LoginAttempt, reason: RefusalReason, detail: string, log: LoginLog): void {
  const { connection, user, during, token } = attempt
  const trace = token === '' ? { user } : traceOf(token, user)
  log.record({ type: 'refusal', connection, during, reason, detail, ...trace })
}

function decide({ token, user, faults }: LoginAttempt, gatekeeper: Gatekeeper): Verdict {
  const exceeded = gatekeeper.throttle.attempt()
  if (faults.refuse !== undefined) {
    return { accepted: false, reason: faults.refuse, detail: 'the fault `refuse` is set' }
  }
  if (exceeded !== undefined) {
    const rate = `${exceeded.limit} logins in ${exceeded.intervalMs} ms`
    return { accepted: false, reason: 'ThrottlingException', detail: `there were more than ${rate}` }
  }
  return gatekeeper.verify(token, user)
}

function traceOf(token: string, user: string): TokenTrace {
  const fingerprint = tokenFingerprint(token)
  const parsed = parseToken(token)
  if ('problem' in parsed) return { user, fingerprint }
  const accessKeyId = parsed.credential.split('/', 1).join('').slice(-4)
  return { user, fingerprint, hostname: parsed.hostname, port: Number(parsed.port), accessKeyId }
}
