import { serveHttp } from '@aurora-iam/test-support/http-server'
import { vi } from 'vitest'

/** One question to the AWS API: its parameters, and the service that it is signed for. */
export type Question = Readonly<Record<string, string>> & {
  readonly Action: string
  readonly service: string | undefined
}

/** Answer of the AWS API: the content of the result element, or an error. */
export type Answer = string | { readonly code: string; readonly message: string }

/**
 * Plays the AWS APIs of RDS and IAM on loopback for the length of one test, in the query protocol that their clients
 * speak. Returns what was asked.
 *
 * @param answers - Answer to each action. An action that is left out is denied.
 */
export async function serveAwsApi(answers: Readonly<Record<string, Answer>>): Promise<Question[]> {
  const asked: Question[] = []
  const url = await serveHttp(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const service = /Credential=\w+\/\d+\/[\w-]+\/(\w+)\/aws4_request/.exec(
      request.headers.authorization ?? '',
    )?.[1]
    const question = { ...Object.fromEntries(new URLSearchParams(body)), service } as Question
    asked.push(question)
    const { Action: action } = question
    const answer = answers[action] ?? {
      code: 'AccessDenied',
      message: `User is not authorized to perform ${action}`,
    }
    response.writeHead(typeof answer === 'string' ? 200 : 403, { 'content-type': 'text/xml' })
    response.end(
      typeof answer === 'string'
        ? `<${action}Response><${action}Result>${answer}</${action}Result></${action}Response>`
        : `<ErrorResponse><Error><Type>Sender</Type><Code>${answer.code}</Code>` +
            `<Message>${answer.message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
    )
  })
  for (const service of ['RDS', 'IAM']) vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, url)
  return asked
}
