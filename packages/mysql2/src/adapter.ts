// What adapters of libraries that are built on mysql2 need, by the subpath `@aurora-iam/mysql2/adapter`.
export type {
  AuthenticatingConnection,
  ConnectionHooks,
  ConnectionSettings,
  Mysql2Options,
} from './driver-types.ts'
export { connectionHooks, DEFAULT_CONNECT_TIMEOUT_MS } from './hooks.ts'
export { iamOfHooks } from './hooks-registry.ts'
export { assertDriverOptions } from './options/driver-options.ts'
export { sslFor } from './options/ssl.ts'
export { lifetimeOptionOf, retryOptionOf } from './options/unsupported-option.ts'
export { DriverLifetime, type OpenConnection } from './pool/driver-lifetime.ts'
export { retryLogins } from './pool/login-retry.ts'
export { manageConnections } from './pool/managed-pool.ts'
export { type HookOptions, withHooks } from './with-aurora-iam.ts'
