import { Failure } from '../failure.ts'

/** Requests a page of a site. @throws Failure where there is no answer. */
export async function request(url: URL, timeout: number): Promise<Response> {
  try {
    return await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeout) })
  } catch (error) {
    const { message, cause } = error as Error
    const reason = cause instanceof Error ? cause.message || (cause as { code?: string }).code : message
    throw new Failure(`${url.origin} cannot be reached: ${reason}`)
  }
}
