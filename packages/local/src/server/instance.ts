import type { Backend } from '../database/backend.ts'
import type { Faults } from '../faults/faults.ts'
import { prepareCertificates } from '../tls/accept-tls.ts'
import type { CertificateIssuer } from '../tls/certificates.ts'
import type { ServerContext } from './context.ts'
import { type Listener, startListener } from './listener.ts'

/** One server of a Local Aurora: an address, a database, and the endpoint names that lead to it. */
export interface Instance {
  readonly host: string
  readonly listener: Listener
  readonly backend: Backend
  /** Names that tokens are signed for and that certificates have, in lower case. */
  readonly hostnames: readonly string[]
  /** Gives the server other names, with certificates for them, for connections that begin from now on. */
  rename(hostnames: readonly string[]): Promise<void>
}

/** Options of {@link startInstance}. */
export interface InstanceOptions extends Pick<ServerContext, 'log' | 'throttle' | 'connectTimeoutMs'> {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  readonly hostnames: readonly string[]
  readonly backend: Backend
  readonly issuer: CertificateIssuer
  readonly faults: Faults
  /** Judges a token of a user at a server of these names and this port. */
  readonly verify: (
    token: string,
    user: string,
    server: { readonly hostnames: readonly string[]; readonly port: number },
  ) => ReturnType<ServerContext['verify']>
}

/** Starts a server of a Local Aurora. @throws the error of the system, if the port is taken */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const { host, backend, issuer, faults, log, throttle, connectTimeoutMs } = options
  const prepare = async (names: readonly string[]) => prepareCertificates(await issuer.issue(names))
  let { hostnames } = options
  let certificates = await prepare(hostnames)
  const listener = await startListener(options, faults, (port) => ({
    log,
    throttle,
    connectTimeoutMs,
    backend,
    get certificates() {
      return certificates
    },
    verify: (token, user) => options.verify(token, user, { hostnames, port }),
  }))
  return {
    host,
    listener,
    backend,
    get hostnames() {
      return hostnames
    },
    async rename(names) {
      certificates = await prepare(names)
      hostnames = names
    },
  }
}
