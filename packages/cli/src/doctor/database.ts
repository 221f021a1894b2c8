import { connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { AuroraIamError } from '@aurora-iam/core'
import type { AdapterIam, ConnectionTarget, TlsPolicy } from '@aurora-iam/core/adapter'
import { Capability, login as logIn, PacketChannel, readGreeting, WireError } from '@aurora-iam/wire'
import { startTls } from '../gateway/start-tls.ts'
import { splitMessage } from '../output/option-words.ts'
import type { StsAnswer } from './ask-sts.ts'
import type { Finding } from './finding.ts'
import { type LoginEvidence, loginRemedies } from './login-remedies.ts'
import { networkRemedies } from './network-remedies.ts'
import { serverErrorRemedies } from './server-error-remedies.ts'
import { type PlannedFleet, sessionFindings } from './session-findings.ts'
import { tlsRemedies } from './tls-remedies.ts'

const TIMEOUT_MS = 10_000

/** Findings of the checks before the connection. */
export interface FindingsSoFar {
  readonly clock: Finding
  readonly identity: Finding
  readonly sts: StsAnswer
  /** True if the caller gave certificate authorities. */
  readonly hasCa: boolean
  readonly fleet: PlannedFleet
}

/** Opens one connection to the database as a driver does, and reports each step. */
export async function* logInTo(
  iam: AdapterIam,
  target: ConnectionTarget,
  soFar: FindingsSoFar,
): AsyncGenerator<Finding> {
  let policy: TlsPolicy
  try {
    policy = iam.tls(target)
  } catch (error) {
    const { problem, remedies } = splitMessage((error as AuroraIamError).message)
    yield { check: 'TLS', verdict: 'fail', seen: problem, remedies }
    return
  }
  const login = await iam.login(target)
  const dialled = login.dial()
  const { host, port } = dialled
  const socket = connect({ host, port })
  // A read of the channel reports it.
  socket.on('error', () => {})
  let isConnected = false
  socket.once('connect', () => {
    isConnected = true
  })
  let secured: TLSSocket | undefined
  let tls: string | undefined
  const timeOut = () => (secured ?? socket).destroy(new Error(`no answer within ${TIMEOUT_MS} ms`))
  let isLoggedIn = false
  let timer = setTimeout(timeOut, TIMEOUT_MS)
  const channel = new PacketChannel(socket)
  let check: 'network' | 'TLS' | 'login' = 'network'
  try {
    const greeting = await readGreeting(channel)
    yield ok(check, `${socket.remoteAddress}:${port} answers as MySQL ${greeting.serverVersion}`)

    check = 'TLS'
    const { value: password } = await login.tokenBeforeConnect()
    const session = logIn(channel, greeting, {
      user: target.username,
      password,
      capabilities: Capability.LONG_PASSWORD | Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA,
      plugins: ['mysql_clear_password'],
      startTls: async () => {
        secured = await startTls(socket, target.hostname, policy)
        tls = describeTls(secured, target.hostname)
        return new PacketChannel(secured)
      },
    })
    const failure = await session.then(
      () => undefined,
      (error: Error) => error,
    )
    if (tls === undefined) throw failure
    yield ok(check, tls)

    check = 'login'
    if (failure) throw failure
    login.succeed()
    yield ok(check, `${target.username} is accepted`)
    isLoggedIn = true
    clearTimeout(timer)
    timer = setTimeout(timeOut, TIMEOUT_MS)
    yield* sessionFindings(await session, soFar.fleet)
  } catch (thrown) {
    const error = thrown as Error
    // Queries after the login report their own failures.
    if (isLoggedIn) throw error
    login.fail(error)
    const remedies = {
      network: () => {
        const errno = error instanceof WireError ? error.errno : undefined
        return errno === undefined
          ? networkRemedies(error, target, { dialled, isConnected, received: unread(channel, socket) })
          : admissionRemedies(errno, error.message)
      },
      TLS: () => tlsRemedies(error, target, { clock: soFar.clock.verdict, hasCa: soFar.hasCa }),
      login: () => loginRemedies(error, evidenceOf(target, dialled, soFar)),
    }
    yield { check, verdict: 'fail', seen: why(error), remedies: remedies[check]() }
  } finally {
    clearTimeout(timer)
    secured?.destroy()
    socket.destroy()
  }
}

/** Returns the remedies for an error that the server sent in place of its greeting. */
function admissionRemedies(errno: number, message: string): readonly string[] {
  const remedies = serverErrorRemedies(errno, message)
  return remedies.length > 0 ? remedies : ['The server names its reason above, and accepts no login now.']
}

/** Returns the evidence about one login. The credentials are judged by the answer of AWS STS. */
function evidenceOf(
  target: ConnectionTarget,
  dialled: LoginEvidence['dialled'],
  { clock, identity, sts }: FindingsSoFar,
): LoginEvidence {
  const nowMs = Date.now()
  return {
    target,
    dialled,
    arn: sts.arn,
    nowMs,
    clockMovedMs: 0,
    accepted: 0,
    acceptedAgoMs: undefined,
    recentLogins: 1,
    isRefusedEverywhere: false,
    claims: undefined,
    credentials: {
      expiresMs: Number.POSITIVE_INFINITY,
      // AWS STS judges them by its own clock, so a clock that is wrong explains the same error.
      endedMs: identity.verdict === 'fail' && clock.verdict !== 'fail' ? nowMs : undefined,
      isTemporary: identity.verdict === 'unknown',
      ageMs: 0,
      clockAheadOfStsMs: sts.clockAheadMs,
    },
  }
}

function describeTls(secured: TLSSocket, hostname: string): string {
  const { issuer, valid_to: validTo } = secured.getPeerCertificate()
  return `${secured.getProtocol()}; the certificate is for ${hostname}, by ${issuer.CN}, until ${new Date(validTo).toISOString()}`
}

/** Returns the bytes that were received and do not form a packet. */
function unread(channel: PacketChannel, socket: Socket): Buffer {
  channel.release()
  return (socket.read() as Buffer | null) ?? Buffer.alloc(0)
}

/** Returns the reason for the end of the connection. For a broken channel it is in the `cause`. */
function why(error: Error): string {
  if (!(error instanceof WireError)) return error.message
  const { errno, sqlState, message, cause } = error
  if (errno !== undefined) return `${errno}${sqlState === undefined ? '' : ` (${sqlState})`}: ${message}`
  return cause instanceof Error ? cause.message : message
}

function ok(check: string, seen: string): Finding {
  return { check, verdict: 'ok', seen }
}
