import { randomBytes } from 'node:crypto'
import { Capability, type Greeting, SCRAMBLE_BYTES, withCapability } from '@aurora-iam/wire'

/** Flags of every MySQL since 5.7 and MariaDB since 10.2: a session can be relayed to each of them. */
const RELAYED =
  Capability.FOUND_ROWS |
  Capability.LONG_FLAG |
  Capability.NO_SCHEMA |
  Capability.ODBC |
  Capability.IGNORE_SPACE |
  Capability.INTERACTIVE |
  Capability.IGNORE_SIGPIPE |
  Capability.TRANSACTIONS |
  Capability.MULTI_STATEMENTS |
  Capability.MULTI_RESULTS |
  Capability.PS_MULTI_RESULTS |
  Capability.CONNECT_ATTRS |
  Capability.SESSION_TRACK |
  Capability.DEPRECATE_EOF

/** Flags that some servers have. They are offered only if the server of this connection has them. */
const RELAYED_IF_OFFERED =
  Capability.QUERY_ATTRIBUTES |
  Capability.OPTIONAL_RESULTSET_METADATA |
  Capability.CAN_HANDLE_EXPIRED_PASSWORDS

/**
 * Flags of the login, which the gateway serves without the database. LONG_PASSWORD keeps MariaDB's clients from their
 * extended flags, which are not relayed.
 */
const OWN =
  Capability.LONG_PASSWORD |
  Capability.PROTOCOL_41 |
  Capability.SECURE_CONNECTION |
  Capability.PLUGIN_AUTH |
  Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA |
  Capability.CONNECT_WITH_DB

/** Greeting of Aurora MySQL 3, for clients that come while the database cannot be reached. */
const FALLBACK: Omit<Greeting, 'scramble' | 'authPlugin' | 'capabilities'> = {
  serverVersion: '8.0.39',
  connectionId: 1,
  collation: 255,
  status: 2,
}

/** Options of {@link greetingFor}. */
export interface GreetingOptions {
  readonly offersTls: boolean
  readonly allowsLocalInfile: boolean
}

/** Returns the greeting for a client: that of the database, with the flags and the scramble of the gateway. */
export function greetingFor(upstream: Greeting | undefined, options: GreetingOptions): Greeting {
  const { serverVersion, connectionId, collation, status } = upstream ?? FALLBACK
  const offered = upstream?.capabilities ?? RELAYED | Capability.LOCAL_FILES
  let capabilities = OWN | ((RELAYED | RELAYED_IF_OFFERED) & offered)
  capabilities = withCapability(capabilities, Capability.SSL, options.offersTls)
  capabilities = withCapability(
    capabilities,
    Capability.LOCAL_FILES,
    options.allowsLocalInfile && (offered & Capability.LOCAL_FILES) !== 0,
  )
  return {
    // The server is not verified yet, so that printable text alone is passed on to a client.
    serverVersion: /^[\x20-\x7e]{1,100}$/.test(serverVersion) ? serverVersion : FALLBACK.serverVersion,
    connectionId,
    collation,
    status,
    capabilities,
    scramble: newScramble(),
    authPlugin: 'caching_sha2_password',
  }
}

/** Returns the bits of `agreed` that the session with the database must have as well. */
export function relayedCapabilities(agreed: number): number {
  return (agreed & (RELAYED | RELAYED_IF_OFFERED | Capability.LOCAL_FILES)) >>> 0
}

/** Returns random bytes without NUL, which would end the scramble early in some clients. */
export function newScramble(): Buffer {
  return Buffer.from(randomBytes(SCRAMBLE_BYTES).map((byte) => byte % 127 || 1))
}
