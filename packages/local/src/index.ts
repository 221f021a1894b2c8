export type { Clock } from './clock.ts'
export type { Account } from './database/accounts.ts'
export { LocalAuroraError, type LocalAuroraErrorCode } from './errors.ts'
export type { FaultSettings, Faults } from './faults/faults.ts'
export {
  type Authorize,
  compilePolicy,
  type PolicyDecision,
  type PolicyDocument,
  type PolicyStatement,
} from './iam/policy.ts'
export {
  type CredentialIdentity,
  createPrincipal,
  type KnownPrincipal,
  type Principal,
  type Principals,
} from './iam/principals.ts'
export type { ThrottleRate, ThrottleSetting } from './iam/throttle.ts'
export type { LocalAurora, LocalAuroraIam } from './local-aurora.ts'
export type {
  ChangeUserEvent,
  ClosedEvent,
  ClusterEvent,
  ConnectFailedEvent,
  ConnectionEvent,
  DatabaseEndedEvent,
  IamRefusal,
  LogEvent,
  LoginEvent,
  LogMoment,
  PasswordLoginEvent,
  PlaintextEvent,
  RefusalReason,
  TlsEvent,
  TokenEvent,
  TokenTrace,
} from './log/log-events.ts'
export { formatEvent } from './log/log-events.ts'
export type { LoginLog } from './log/login-log.ts'
export type { CredentialEndpoints, CredentialFault } from './metadata/metadata-server.ts'
export type { LocalAuroraOptions } from './options.ts'
export type { ServerAddress } from './server/cluster.ts'
export { startLocalAurora } from './start-local-aurora.ts'
