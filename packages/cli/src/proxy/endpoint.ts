import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { ListenAddress } from '../gateway/listen.ts'
import { newPassword } from '../gateway/one-time-password.ts'
import { readAddress, readTarget, type Target } from '../options/target.ts'
import { UsageError } from '../options/usage-error.ts'
import type { EndpointConfig } from './config.ts'

/** A checked endpoint, ready to be started. */
export interface Endpoint {
  readonly name: string
  readonly address: ListenAddress
  readonly target: Target
  readonly password: string
  /** True if the password was generated, so that it must be printed. */
  readonly hasOneTimePassword: boolean
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly config: EndpointConfig
  /** Files whose change changes the endpoint. */
  readonly files: readonly string[]
  /** Digest of the config and of the files. An endpoint with the same digest needs no restart. */
  readonly digest: string
}

/** Fewest characters of a password in a file: a shorter one can be guessed. */
const LEAST_PASSWORD_CHARACTERS = 16

/** Mode bits of a file for its group and for others. */
const OTHERS = 0o077

/**
 * Checks an endpoint and reads its files.
 *
 * @throws {@link UsageError} for options and files that cannot be used
 */
export function readEndpoint(config: EndpointConfig): Endpoint {
  const address = addressOf(config)
  const name = config.name ?? ('socket' in address ? address.socket : `${address.host}:${address.port}`)
  const tls = tlsOf(config)
  if ('host' in address && !isLoopback(address.host) && tls === undefined) {
    throw new UsageError(
      `--listen: ${address.host} is reachable from other machines, and clients would connect in the clear. ` +
        'Give --tls-cert and --tls-key, or listen on 127.0.0.1.',
    )
  }
  const { port, passwordFile } = config
  const target = readTarget({ ...config, ...(port !== undefined ? { port: String(port) } : {}) } as never)
  const given = passwordFile === undefined ? undefined : readPassword(passwordFile)
  const content = JSON.stringify([config, given, tls, target.iam.ca])
  return {
    name,
    address,
    target,
    tls,
    config,
    password: given ?? newPassword(),
    hasOneTimePassword: given === undefined,
    files: [passwordFile, config.tlsCert, config.tlsKey, config.ca].filter((file) => file !== undefined),
    digest: createHash('sha256').update(content).digest('hex'),
  }
}

function addressOf({ listen, socket }: EndpointConfig): ListenAddress {
  if (listen !== undefined && socket !== undefined)
    throw new UsageError('--listen and --socket are both given. Give one of them.')
  if (listen === undefined && socket === undefined) {
    throw new UsageError(
      '--listen or --socket is required. Give an address with --listen 127.0.0.1:3307, or a path with --socket.',
    )
  }
  return socket === undefined ? readAddress(listen as string, '--listen') : { socket }
}

function tlsOf({ tlsCert, tlsKey }: EndpointConfig): Endpoint['tls'] {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsKey === undefined)
    throw new UsageError('--tls-key is missing. Give the key of the certificate in --tls-cert.')
  if (tlsCert === undefined)
    throw new UsageError('--tls-cert is missing. Give the certificate of the key in --tls-key.')
  const tls = { cert: readText(tlsCert, '--tls-cert'), key: readText(tlsKey, '--tls-key') }
  try {
    createSecureContext(tls)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`--tls-cert: the certificate and the key cannot be used together (${code}).`)
  }
  return tls
}

function readPassword(path: string): string {
  const password = readText(path, '--password-file').trim()
  if (process.platform !== 'win32' && (statSync(path).mode & OTHERS) !== 0) {
    throw new UsageError(`--password-file: ${path} can be read by others. Run: chmod 600 ${path}`)
  }
  if (password.length < LEAST_PASSWORD_CHARACTERS) {
    throw new UsageError(
      `--password-file: the password has fewer than ${LEAST_PASSWORD_CHARACTERS} characters. ` +
        `Make one: openssl rand -base64 32 > ${path}`,
    )
  }
  return password
}

function readText(path: string, option: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(
      `${option}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code}). Give a file that this user can read.`,
    )
  }
}

/** Returns whether `host` is an address that this machine alone reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
