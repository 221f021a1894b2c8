import { SECRET, SESSION } from './example-credentials.ts'
import { serveHttp } from './http-server.ts'

const MINUTE = 60_000

/** One question that the local STS was asked: the parameters of the request, and who signed it. */
export interface StsRequest {
  readonly Action: string
  readonly RoleArn: string
  readonly ExternalId?: string
  readonly WebIdentityToken?: string
  /** Undefined where the request is not signed, as with a web identity. */
  readonly accessKeyId: string | undefined
  /** Region that the request is signed for; undefined where it is not signed. */
  readonly region: string | undefined
}

/** Answers of the local STS: a role for some minutes, one of AWS's error codes, or no answer. */
export type StsAnswer =
  | { readonly accessKeyId: string; readonly lifeMinutes?: number }
  | { readonly code: string; readonly message: string }
  | undefined

/** Plays AWS STS on loopback for the length of one test, for `AWS_ENDPOINT_URL_STS`. Returns its URL. */
export function serveSts(answer: (request: StsRequest) => StsAnswer, clock = Date.now): Promise<string> {
  return serveHttp(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const scope = /Credential=(\w+)\/\d+\/([\w-]+)\//.exec(request.headers.authorization ?? '')
    const signed = { accessKeyId: scope?.[1], region: scope?.[2] }
    const asked = { ...Object.fromEntries(new URLSearchParams(body)), ...signed } as unknown as StsRequest
    const answered = answer(asked)
    if (!answered) return
    const headers = { 'content-type': 'text/xml', date: new Date(clock()).toUTCString() }
    response.writeHead('code' in answered ? 403 : 200, headers)
    response.end('code' in answered ? refusal(answered) : role(asked, answered))
  })
}

function role(
  { Action, RoleArn }: StsRequest,
  answer: { accessKeyId: string; lifeMinutes?: number },
): string {
  const end = new Date(Date.now() + (answer.lifeMinutes ?? 60) * MINUTE).toISOString()
  const caller = '<Account>123456789012</Account><Arn>arn:aws:sts::123456789012:assumed-role/app/i-0</Arn>'
  if (Action === 'GetCallerIdentity') return inResponse(Action, caller)
  return inResponse(
    Action,
    `<AssumedRoleUser><Arn>${RoleArn}/session</Arn><AssumedRoleId>AROA:session</AssumedRoleId></AssumedRoleUser>
    <Credentials><AccessKeyId>${answer.accessKeyId}</AccessKeyId><SecretAccessKey>${SECRET}</SecretAccessKey>
    <SessionToken>${SESSION}</SessionToken><Expiration>${end}</Expiration></Credentials>`,
  )
}

function inResponse(action: string, result: string): string {
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
    <${action}Result>${result}</${action}Result></${action}Response>`
}

function refusal({ code, message }: { code: string; message: string }): string {
  return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
    <Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`
}
