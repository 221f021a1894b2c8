export { monotonicMs } from '@aurora-iam/rate-limit/limiter'
