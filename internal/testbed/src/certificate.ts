import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/**
 * Writes a self-signed certificate for 127.0.0.1 and its key to `cert.pem` and `key.pem` in the
 * folder.
 * Returns the paths of both files.
 */
export function selfSigned(folder: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const request = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
  ]
  const subject = ['-subj', '/CN=testbed', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', ['req', ...request, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { cert, key }
}
