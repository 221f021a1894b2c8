export {
  type AuroraIam,
  AuroraIamError,
  type AuroraIamErrorCode,
  type AuroraIamOptions,
  createAuroraIam,
} from '@aurora-iam/core'
export type { ConnectionHooks, ConnectionSettings, Mysql2Options } from './driver-types.ts'
export { connectionHooks, DEFAULT_CONNECT_TIMEOUT_MS } from './hooks.ts'
export { assertDriverOptions } from './options/driver-options.ts'
export { sslFor } from './options/ssl.ts'
export { auroraIamCluster } from './pool/cluster.ts'
export { withLoginRetry } from './pool/login-retry.ts'
export { withAuroraIam } from './with-aurora-iam.ts'
