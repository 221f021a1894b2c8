import { describeLeaks } from './leaks.ts'

// Enough to find what stays behind for each connection; `npm run soak` takes twenty times as many.
describeLeaks({ connects: 1_000, failures: 250, heapGrowthMb: 2 }, 120_000)
