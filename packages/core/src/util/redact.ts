/**
 * Returns `text` without what is secret in an IAM token: its signature and session token. For loggers that may be
 * handed one.
 */
export function redact(text: string): string {
  // Inside a URL a token is encoded once more: `=` is %3D there, and `&` is %26.
  return text.replace(/(X-Amz-(?:Signature|Security-Token)(?:=|%3D))(?:(?!%26)[^&\s"'@])+/gi, '$1<redacted>')
}
