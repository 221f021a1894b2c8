import { DynamoServer } from '@aurora-iam/test-support/dynamo-server'
import { expect, onTestFinished, test } from 'vitest'
import { CountingServer, peakTokens } from './counting-server.ts'
import { intervalMs, limit, welcomes } from './fleet-set-up.ts'
import { Member } from './member.ts'

test('three processes on one DynamoDB table, their clocks up to 200 ms apart: never over the limit as the server counts, and all log in', async () => {
  const dynamo = await DynamoServer.start()
  onTestFinished(() => dynamo.close())
  const server = await CountingServer.start(limit, intervalMs)
  onTestFinished(() => server.close())
  const { port, tableName } = dynamo
  const members = await Promise.all(
    [-100, 0, 100].map((clockOffsetMs) =>
      Member.start({
        name: `${clockOffsetMs}`,
        dynamo: { port, tableName, clockOffsetMs, toleranceMs: 200, handshakeMs: 250 },
        server: server.port,
        options: { limit, intervalMs, maxWaitMs: 60_000 },
        env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
      }),
    ),
  )
  for (const member of members) onTestFinished(() => member.end())
  const reports = await Promise.all(members.map((member) => member.run(20)))
  expect(reports.flatMap(({ answers }) => answers)).toEqual(welcomes(60))
  expect(peakTokens(server.logins, intervalMs)).toBeLessThanOrEqual(limit)
}, 120_000)
