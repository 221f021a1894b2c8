export type { AuroraIam, AuroraIamStats } from './aurora-iam.ts'
export { asAuroraIam, createAuroraIam } from './create-aurora-iam.ts'
export type { CredentialSource } from './credentials/credential-cache.ts'
export { stsDateMiddleware } from './credentials/sts-clock.ts'
export type {
  ConnectEvent,
  ConnectFailedEvent,
  EndpointEvent,
  PermitEvent,
  TokenEvent,
} from './diagnostics.ts'
export type { Address, ConnectionTarget, DriverAddress, TokenTarget } from './endpoint/connection-target.ts'
export { type EndpointKind, parseRdsHostname, type RdsHostname } from './endpoint/rds-hostname.ts'
export { AuroraIamError, type AuroraIamErrorCode, type AuroraIamErrorDetails, describe } from './errors.ts'
export type { LoginAttempt } from './login/login-attempt.ts'
export { isRegionDoubtful, suspectedTunnel } from './login/suspect-target.ts'
export type { WriterCheck } from './login/writer-check.ts'
export type { AuroraIamOptions, TokenProvider } from './options.ts'
export { GreetingGuard } from './tls/greeting-guard.ts'
export type { CertificateAuthorities, TlsPolicy } from './tls/tls-policy.ts'
export { AuthToken, readTokenDates, redact, type TokenDates } from './token/auth-token.ts'
