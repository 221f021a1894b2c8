import { sdkExports } from '@aurora-iam/core/adapter'
import type * as IamClient from '@aws-sdk/client-iam'
import type * as RdsClient from '@aws-sdk/client-rds'

/** Clients of the AWS API that users may install beside this program. */
export interface OptionalClients {
  readonly '@aws-sdk/client-iam': typeof IamClient
  readonly '@aws-sdk/client-rds': typeof RdsClient
}

const LOADERS: { readonly [Name in keyof OptionalClients]: () => Promise<OptionalClients[Name]> } = {
  '@aws-sdk/client-iam': () => import('@aws-sdk/client-iam'),
  '@aws-sdk/client-rds': () => import('@aws-sdk/client-rds'),
}

/** Error for a client that is not installed. The message is for people. */
export class ClientMissing extends Error {
  override readonly name = 'ClientMissing'
}

/**
 * Loads a client.
 *
 * @throws {@link ClientMissing} with the command that installs it
 */
export async function loadClient<Name extends keyof OptionalClients>(
  name: Name,
): Promise<OptionalClients[Name]> {
  try {
    return await sdkExports(LOADERS[name]())
  } catch (error) {
    const { cause } = error as { cause?: NodeJS.ErrnoException }
    if (cause?.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new ClientMissing(`${name} is not installed. Install it beside aurora-iam: npm install ${name}`, {
      cause,
    })
  }
}
