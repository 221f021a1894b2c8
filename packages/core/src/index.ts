export type { RateLimiterStats } from '@aurora-iam/rate-limit'
export { AuroraIamError, AuthToken, createAuroraIam, redact } from './adapter.ts'
export type { AuroraIam, AuroraIamStats } from './aurora-iam.ts'
export type { CredentialSource } from './credentials/credential-cache.ts'
export type {
  ConnectEvent,
  ConnectFailedEvent,
  EndpointEvent,
  PermitEvent,
  PermitHolderEvent,
  TokenEvent,
  TokenFailedEvent,
} from './diagnostics.ts'
export type { Address } from './endpoint/address.ts'
export type { TokenTarget } from './endpoint/connection-target.ts'
export type { AuroraIamErrorCode, AuroraIamErrorDetails } from './errors.ts'
export type { PoolStats } from './lifetime/lifetimes.ts'
export type { PoolLifetimeStats, RetireReason } from './lifetime/pool-lifetime.ts'
export type { AuroraIamOptions } from './options.ts'
export type { CertificateAuthorities } from './tls/certificate-authorities.ts'
export type { TokenProvider } from './token/token-source.ts'
