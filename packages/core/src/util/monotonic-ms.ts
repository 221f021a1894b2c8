export { monotonicMs } from '@aurora-iam/rate-limit/describe'
