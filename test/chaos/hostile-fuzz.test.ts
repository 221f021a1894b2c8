import { MYSQL2_LATEST, MYSQL2_OLDEST, PRISMA_PATH } from './driver-paths.ts'
import { describeFuzz, runQuery, runTransaction } from './hostile-fuzz.ts'
import { hostileRig } from './hostile-rig.ts'

describeFuzz(
  hostileRig(),
  [
    [MYSQL2_LATEST, runQuery, 10_000],
    // 10,000 in `npm run soak`.
    [MYSQL2_OLDEST, runQuery, 1_000],
    [PRISMA_PATH, runTransaction, 10_000],
  ],
  120_000,
)
