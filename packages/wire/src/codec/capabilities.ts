/**
 * Capability flags that client and server exchange at login, as bits of one unsigned 32-bit number.
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html
 */
export const Capability = {
  /** MariaDB leaves this bit out of its greeting to announce its extended flags; MySQL always sets it. */
  LONG_PASSWORD: 2 ** 0,
  FOUND_ROWS: 2 ** 1,
  LONG_FLAG: 2 ** 2,
  CONNECT_WITH_DB: 2 ** 3,
  NO_SCHEMA: 2 ** 4,
  COMPRESS: 2 ** 5,
  ODBC: 2 ** 6,
  LOCAL_FILES: 2 ** 7,
  IGNORE_SPACE: 2 ** 8,
  PROTOCOL_41: 2 ** 9,
  INTERACTIVE: 2 ** 10,
  SSL: 2 ** 11,
  IGNORE_SIGPIPE: 2 ** 12,
  TRANSACTIONS: 2 ** 13,
  SECURE_CONNECTION: 2 ** 15,
  MULTI_STATEMENTS: 2 ** 16,
  MULTI_RESULTS: 2 ** 17,
  PS_MULTI_RESULTS: 2 ** 18,
  PLUGIN_AUTH: 2 ** 19,
  CONNECT_ATTRS: 2 ** 20,
  PLUGIN_AUTH_LENENC_CLIENT_DATA: 2 ** 21,
  CAN_HANDLE_EXPIRED_PASSWORDS: 2 ** 22,
  SESSION_TRACK: 2 ** 23,
  DEPRECATE_EOF: 2 ** 24,
  OPTIONAL_RESULTSET_METADATA: 2 ** 25,
  ZSTD_COMPRESSION: 2 ** 26,
  QUERY_ATTRIBUTES: 2 ** 27,
  MULTI_FACTOR_AUTHENTICATION: 2 ** 28,
} as const

/** Returns whether every bit of `flags` is set in `capabilities`. */
export function hasCapability(capabilities: number, flags: number): boolean {
  return ((capabilities & flags) ^ flags) === 0
}

/** Returns `capabilities` with the bits of `flags` set or, when `present` is false, cleared. */
export function withCapability(capabilities: number, flags: number, present = true): number {
  return (present ? capabilities | flags : capabilities & ~flags) >>> 0
}
