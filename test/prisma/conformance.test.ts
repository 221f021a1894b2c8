import { describeAdapter } from '../conformance/index.ts'
import { prismaHarness } from './harness.ts'
import { CLIENTS } from './support.ts'

for (const { generator, Client } of CLIENTS) describeAdapter(prismaHarness(`Prisma (${generator})`, Client))
