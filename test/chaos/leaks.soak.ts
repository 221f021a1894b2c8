import { describeLeaks } from './leaks.ts'

// 200 bytes left behind by each would be found.
describeLeaks({ connects: 20_000, failures: 5_000, heapGrowthMb: 4 }, 20 * 60_000)
