import { randomBytes } from 'node:crypto'
import { Capability, type Greeting, SCRAMBLE_BYTES, withCapability } from '@aurora-iam/wire'
import type { FaultSettings } from '../faults/faults.ts'

/** Capabilities that the server has without the database upstream. */
const OWN =
  Capability.LONG_PASSWORD |
  Capability.PROTOCOL_41 |
  Capability.SECURE_CONNECTION |
  Capability.PLUGIN_AUTH |
  Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA |
  Capability.CONNECT_WITH_DB

/** Capabilities that a relay cannot pass on, and those of this connection alone. */
const WITHHELD =
  Capability.COMPRESS | Capability.ZSTD_COMPRESSION | Capability.SSL | Capability.MULTI_FACTOR_AUTHENTICATION

/** Highest bits, which MySQL and MariaDB define in different ways. */
const UNDEFINED = 0xe000_0000

/** Version that Aurora MySQL 3 reports: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraMySQLReleaseNotes/AuroraMySQL.Updates.30Updates.html */
const SERVER_VERSION = '8.0.39'
const MARIADB_VERSION = '5.5.5-10.11.11-MariaDB'
/** Since 11.4 clients may verify a certificate by the password that both sides know. */
const RECENT_MARIADB_VERSION = '5.5.5-11.4.5-MariaDB'

const GREETINGS = {
  aurora: { version: SERVER_VERSION, authPlugin: 'mysql_native_password' },
  mariadb: { version: MARIADB_VERSION, authPlugin: 'mysql_native_password' },
  'clear-password': { version: SERVER_VERSION, authPlugin: 'mysql_clear_password' },
  'caching-sha2': { version: SERVER_VERSION, authPlugin: 'caching_sha2_password' },
  'mariadb-clear-password': { version: RECENT_MARIADB_VERSION, authPlugin: 'mysql_clear_password' },
} as const

/** First collation that MariaDB does not know. If a client asks for one, MariaDB falls back to latin1. */
const FIRST_MYSQL_8_COLLATION = 248
const UTF8MB4_GENERAL_CI = 45

/** Returns the greeting of the server: like Aurora's, with no capability that the database upstream lacks. */
export function serverGreeting(upstream: Greeting, faults: FaultSettings): Greeting {
  const passedOn = upstream.capabilities & ~(WITHHELD | UNDEFINED)
  const tls = withCapability(passedOn | OWN, Capability.SSL, faults.tls === undefined)
  const { version, authPlugin } = GREETINGS[faults.greeting ?? 'aurora']
  return {
    ...upstream,
    serverVersion: version,
    capabilities: withCapability(tls, Capability.LONG_PASSWORD, version === SERVER_VERSION),
    // Without NUL bytes, which would end the scramble early in some clients.
    scramble: randomBytes(SCRAMBLE_BYTES).map((byte) => byte % 127 || 1) as Buffer,
    authPlugin,
  }
}

/** Returns the collation to request from the database upstream for one that a client requested. */
export function collationFor(upstream: Greeting, collation: number): number {
  const isMariaDb = upstream.serverVersion.includes('MariaDB')
  return isMariaDb && collation >= FIRST_MYSQL_8_COLLATION ? UTF8MB4_GENERAL_CI : collation
}
