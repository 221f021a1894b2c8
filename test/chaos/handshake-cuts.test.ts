import { MYSQL2_LATEST, MYSQL2_OLDEST, PRISMA_PATH } from './driver-paths.ts'
import { describeCuts } from './handshake-cuts.ts'
import { hostileRig } from './hostile-rig.ts'

describeCuts(
  hostileRig(),
  [
    [MYSQL2_LATEST, 1],
    // Those that resume no TLS sessions take longer over each handshake: at every byte in `npm run soak`.
    [MYSQL2_OLDEST, 5],
    [PRISMA_PATH, 5],
  ],
  60_000,
)
