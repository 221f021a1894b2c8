export {
  type AuroraIam,
  AuroraIamError,
  type AuroraIamErrorCode,
  type AuroraIamOptions,
  createAuroraIam,
} from '@aurora-iam/core'
export { auroraIamCluster } from './cluster.ts'
export { assertDriverOptions } from './driver-options.ts'
export type { ConnectionHooks, ConnectionSettings, Mysql2Options } from './driver-types.ts'
export { connectionHooks, DEFAULT_CONNECT_TIMEOUT_MS } from './hooks.ts'
export { withLoginRetry } from './login-retry.ts'
export { sslFor } from './ssl.ts'
export { withAuroraIam } from './with-aurora-iam.ts'
