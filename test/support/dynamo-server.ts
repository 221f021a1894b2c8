import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { AddressInfo, Server } from 'node:net'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'

// It has no types.
const dynalite = createRequire(import.meta.url)('dynalite') as (options: object) => Server

/** DynamoDB for one test, in this process, with a table for tickets. */
export class DynamoServer {
  readonly tableName = 'rate-limit'
  readonly client: DynamoDBClient
  readonly port: number
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    this.client = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${this.port}`,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' },
    })
  }

  static async start(): Promise<DynamoServer> {
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
    const server = dynalite({ createTableMs: 0 })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const dynamo = new DynamoServer(server)
    await dynamo.client.send(
      new CreateTableCommand({
        TableName: dynamo.tableName,
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
      }),
    )
    return dynamo
  }

  close(): void {
    this.client.destroy()
    this.#server.close()
  }
}
