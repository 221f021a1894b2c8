import { describeLeaks } from './leaks.ts'

// Enough to find what stays behind for each connection; `npm run soak` takes forty times as many.
describeLeaks({ connects: 500, failures: 125, heapGrowthMb: 2 }, 120_000)
