// Compiled in an empty project, by each way of resolving modules.
import { AuroraIamError, createAuroraIam } from '@aurora-iam/core'
import { type AdapterIam, adapterIam } from '@aurora-iam/core/adapter'
import { withAuroraIam as withKnex } from '@aurora-iam/knex'
import { startLocalAurora } from '@aurora-iam/local'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { connectionHooks } from '@aurora-iam/mysql2/adapter'
import { auroraIam } from '@aurora-iam/prisma'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { withAuroraIam as withTypeOrm } from '@aurora-iam/typeorm'
import { WireError } from '@aurora-iam/wire'
import { createPool } from 'mysql2/promise'

const iam = createAuroraIam({ rateLimit: createRateLimiter({ limit: 5 }) })
const inner: AdapterIam = adapterIam(iam)
const address = { host: 'mydb.cluster-c0example0.eu-west-1.rds.amazonaws.com', user: 'app' }

export const pool = createPool(withAuroraIam(address, iam))
export const knex = withKnex({ client: 'mysql2', connection: address }, iam)
export const dataSource = withTypeOrm({ type: 'mysql', host: address.host, username: address.user }, iam)
export const prisma = auroraIam({ ...address, database: 'app' }, iam)
export const all = [AuroraIamError, WireError, startLocalAurora, connectionHooks, inner]
