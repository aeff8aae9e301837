/** What must not be printed: passwords, the URLs that hold them, and keys. */
const secrets = new Set<string>()

/** Keeps the text, and the form that it has in a URL, out of everything that is printed. */
export function keepSecret(text: string): void {
  if (text === '') return
  secrets.add(text)
  secrets.add(encodeURIComponent(text))
}

/** The user and the password of a URL. */
const CREDENTIALS = /([a-z][a-z+.-]*:\/\/)[^\s/?#@]*(?:@[^\s/?#@]*)*@/gi

/** A password among the parameters of a URL. */
const PARAMETER = /([?&](?:password|pass|tlsCertificateKeyFilePassword)=)[^&\s]+/gi

/** Returns the text without secrets. Messages of clients and of the parser may quote what they got. */
export function redact(text: string): string {
  let result = text.replace(CREDENTIALS, '$1…@').replace(PARAMETER, '$1…')
  const longestFirst = [...secrets].sort((one, other) => other.length - one.length)
  for (const secret of longestFirst) result = result.replaceAll(secret, '…')
  return result
}
