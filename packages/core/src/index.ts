export {
  type AuroraIam,
  type AuroraIamStats,
  asAuroraIam,
  createAuroraIam,
} from './aurora-iam.ts'
export { AuthToken, readTokenDates, redact, type TokenDates } from './auth-token.ts'
export type { CredentialSource } from './credentials.ts'
export type { ConnectEvent, EndpointEvent, PermitEvent, RefusalEvent, TokenEvent } from './diagnostics.ts'
export { type EndpointKind, parseRdsHostname, type RdsHostname } from './endpoint.ts'
export { AuroraIamError, type AuroraIamErrorCode, type AuroraIamErrorDetails, describe } from './errors.ts'
export { GreetingGuard } from './greeting-guard.ts'
export type { Login } from './login.ts'
export type { AuroraIamOptions, TokenProvider } from './options.ts'
export type { Address, ConnectionTarget, DriverAddress, TokenTarget } from './target.ts'
export type { CertificateAuthorities, TlsPolicy } from './tls.ts'
export type { WriterCheck } from './writer-check.ts'
