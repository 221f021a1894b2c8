import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { ListenAddress } from '../gateway/listen.ts'
import { newPassword } from '../gateway/one-time-password.ts'
import { FLAG_NAMES, type OptionNames } from '../options/option-names.ts'
import { readAddress, readTarget, type Target } from '../options/target.ts'
import { UsageError } from '../options/usage-error.ts'
import { shellWord } from '../output/quoted.ts'
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
export function readEndpoint(config: EndpointConfig, names: OptionNames = FLAG_NAMES): Endpoint {
  const { setAs, giveAs } = names
  const address = addressOf(config, names)
  const name = config.name ?? ('socket' in address ? address.socket : `${address.host}:${address.port}`)
  const tls = tlsOf(config, names)
  if ('host' in address && !isLoopback(address.host) && tls === undefined) {
    throw new UsageError(
      `${setAs('listen')}: ${address.host} is reachable from other machines, and clients would connect in the clear. ` +
        `Give ${giveAs('tlsCert')} and ${giveAs('tlsKey')}, or listen on 127.0.0.1.`,
    )
  }
  const { port, passwordFile } = config
  const flags = { ...config, ...(port !== undefined ? { port: String(port) } : {}) }
  const target = readTarget(flags as never, process.env, names)
  const given = passwordFile === undefined ? undefined : readPassword(passwordFile, setAs('passwordFile'))
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

function addressOf({ listen, socket }: EndpointConfig, { setAs, giveAs }: OptionNames): ListenAddress {
  if (listen !== undefined && socket !== undefined)
    throw new UsageError(`${setAs('listen')} and ${giveAs('socket')} are both given. Give one of them.`)
  if (socket !== undefined) return { socket }
  if (listen === undefined) {
    throw new UsageError(
      `${setAs('listen')} or ${giveAs('socket')} is required. Give the address 127.0.0.1:3307 with ${giveAs('listen')}, ` +
        `or a path with ${giveAs('socket')}.`,
    )
  }
  return readAddress(listen, setAs('listen'))
}

function tlsOf({ tlsCert, tlsKey }: EndpointConfig, { setAs, giveAs }: OptionNames): Endpoint['tls'] {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsKey === undefined)
    throw new UsageError(
      `${setAs('tlsKey')} is missing. Give the key of the certificate in ${giveAs('tlsCert')}.`,
    )
  if (tlsCert === undefined)
    throw new UsageError(
      `${setAs('tlsCert')} is missing. Give the certificate of the key in ${giveAs('tlsKey')}.`,
    )
  const tls = { cert: readText(tlsCert, setAs('tlsCert')), key: readText(tlsKey, setAs('tlsKey')) }
  try {
    createSecureContext(tls)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(
      `${setAs('tlsCert')}: the certificate and the key cannot be used together (${code}).`,
    )
  }
  return tls
}

function readPassword(path: string, option: string): string {
  const password = readText(path, option).trim()
  if (process.platform !== 'win32' && (statSync(path).mode & OTHERS) !== 0) {
    throw new UsageError(`${option}: ${path} can be read by others. Run: chmod 600 ${shellWord(path)}`)
  }
  if (password.length < LEAST_PASSWORD_CHARACTERS) {
    throw new UsageError(
      `${option}: the password has fewer than ${LEAST_PASSWORD_CHARACTERS} characters. ` +
        `Make one: openssl rand -base64 32 > ${shellWord(path)}`,
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
