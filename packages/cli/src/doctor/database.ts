import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { AdapterIam, ConnectionTarget, TlsPolicy } from '@aurora-iam/core/adapter'
import { Capability, login as logIn, PacketChannel, readGreeting, WireError } from '@aurora-iam/wire'
import type { Finding } from './finding.ts'
import { admissionRemedies, type Circumstances, loginRemedies } from './login-remedies.ts'

const TIMEOUT_MS = 10_000

/** Opens one connection to the database as a driver does, and tells how far that came. */
export async function* logInTo(
  iam: AdapterIam,
  target: ConnectionTarget,
  circumstances: Circumstances,
): AsyncGenerator<Finding> {
  let policy: TlsPolicy
  try {
    policy = iam.tls(target)
  } catch (error) {
    yield { check: 'TLS', verdict: 'wrong', seen: (error as Error).message }
    return
  }
  const login = await iam.login(target)
  const { host, port } = login.dial()
  const socket = connect({ host, port })
  // Whoever reads from it is told as well.
  socket.on('error', () => {})
  let secured: TLSSocket | undefined
  let tls: string | undefined
  const giveUp = () => (secured ?? socket).destroy(new Error(`no answer within ${TIMEOUT_MS} ms`))
  const timer = setTimeout(giveUp, TIMEOUT_MS)
  let check = 'network'
  try {
    const channel = new PacketChannel(socket)
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
        secured = await secure(socket, target.hostname, policy)
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
    yield ok(check, `${target.username} is let in`)
  } catch (error) {
    login.fail(error as Error)
    const remedies =
      check === 'login'
        ? loginRemedies(error as Error, target, circumstances)
        : admissionRemedies(error as Error)
    yield { check, verdict: 'wrong', seen: why(error as Error), remedies }
  } finally {
    clearTimeout(timer)
    secured?.destroy()
    socket.destroy()
  }
}

/** TLS over `socket`, with the peer verified: chain and name. */
function secure(socket: Socket, hostname: string, policy: TlsPolicy): Promise<TLSSocket> {
  const { ca, minVersion, rejectUnauthorized } = policy
  return new Promise((resolve, reject) => {
    const options = { socket, ca: ca as string, minVersion, rejectUnauthorized, servername: hostname }
    const secured = connectTls(options, () => resolve(secured))
    secured.once('error', reject)
    socket.once('close', () => reject(socket.errored ?? new Error('the server closed the connection')))
  })
}

function describeTls(secured: TLSSocket, hostname: string): string {
  const { issuer, valid_to: validTo } = secured.getPeerCertificate()
  return `${secured.getProtocol()}; the certificate is for ${hostname}, by ${issuer.CN}, until ${new Date(validTo).toISOString()}`
}

/** What ended the connection; of a channel that broke, what broke it. */
function why(error: Error): string {
  if (!(error instanceof WireError)) return error.message
  const { errno, sqlState, message, cause } = error
  if (errno !== undefined) return `${errno}${sqlState === undefined ? '' : ` (${sqlState})`}: ${message}`
  return cause instanceof Error ? cause.message : message
}

function ok(check: string, seen: string): Finding {
  return { check, verdict: 'ok', seen }
}
