// What adapters of libraries that are built on mysql2 need, by the subpath `@aurora-iam/mysql2/adapter`.
export type { ConnectionHooks, ConnectionSettings, Mysql2Options } from './driver-types.ts'
export { connectionHooks, DEFAULT_CONNECT_TIMEOUT_MS } from './hooks.ts'
export { iamOfHooks } from './hooks-registry.ts'
export { assertDriverOptions } from './options/driver-options.ts'
export { sslFor } from './options/ssl.ts'
export { assertNoPoolOptions } from './options/unsupported-option.ts'
export { retryLogins } from './pool/login-retry.ts'
