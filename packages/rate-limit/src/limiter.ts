// What `@aurora-iam/core` loads of this package, without the stores: they are half of it, and few programs have one.
export { type DescribeOptions, describe } from './describe.ts'
export { RateLimitError } from './errors.ts'
export { monotonicMs } from './monotonic-ms.ts'
export { resolveRateLimit } from './presets.ts'
export { sharedRateLimiter } from './shared-rate-limiter.ts'
