export type { RateLimitClock } from './clock.ts'
export type { RateLimitErrorCode, RateLimitErrorDetails } from './errors.ts'
export type { PermitEvent, RateLimitEvents } from './events.ts'
export { fleetStore } from './fleet/fleet-store.ts'
export { type FleetInspection, type InspectFleetOptions, inspectFleet } from './fleet/inspect-fleet.ts'
export {
  type IoredisClient,
  type NodeRedisClient,
  type RedisStoreOptions,
  redisStore,
} from './fleet/redis-store.ts'
export { RateLimitError, resolveRateLimit, sharedRateLimiter } from './limiter.ts'
export type { RateLimiterOptions, RateLimitStore } from './limiter-options.ts'
export type { Permit, PermitLane, PermitOutcome } from './permit.ts'
export { type RateLimit, type RateLimitPreset, rateLimitPresets } from './presets.ts'
export { type AcquireOptions, createRateLimiter, type RateLimiter } from './rate-limiter.ts'
export type { RateLimiterStats } from './stats.ts'
export {
  type FleetEngine,
  type OnStoreLost,
  StoreConflictError,
  type TicketCounter,
} from './store.ts'
export { type DynamoClient, type DynamoStoreOptions, dynamoStore } from './tickets/dynamo-store.ts'
export { ticketStore } from './tickets/ticket-store.ts'
