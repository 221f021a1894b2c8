export type { CredentialEndpoints, CredentialFault } from './credential-endpoints.ts'
export { LocalAuroraError, type LocalAuroraErrorCode } from './errors.ts'
export type { FaultSettings, Faults } from './faults.ts'
export type { LocalAurora, LocalAuroraIam } from './local-aurora.ts'
export type {
  ChangeUserEvent,
  ClosedEvent,
  ConnectionEvent,
  LogEvent,
  LoginEvent,
  LogMoment,
  PlaintextEvent,
  RefusalEvent,
  TlsEvent,
  TokenEvent,
  TokenTrace,
} from './log-events.ts'
export { formatEvent } from './log-events.ts'
export type { LoginLog } from './login-log.ts'
export type { Clock, LocalAuroraOptions } from './options.ts'
export type { PolicyDocument, PolicyStatement } from './policy.ts'
export { type CredentialIdentity, createPrincipal, type Principal, type Principals } from './principals.ts'
export { startLocalAurora } from './start-local-aurora.ts'
export type { ThrottleRate, ThrottleSetting } from './throttle.ts'
export type { IamRefusal } from './verify-token.ts'
