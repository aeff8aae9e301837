import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { generateKey } from '@session-stores/token'
import { EXIT, Failure } from '../failure.ts'
import { print, tell } from '../output.ts'

/** The options of `keygen`. */
export interface KeygenFlags {
  alg?: string
  secret?: boolean
  out?: string
  stdout?: boolean
}

const ALGORITHMS: Readonly<Record<string, 'ES256' | 'Ed25519'>> = {
  es256: 'ES256',
  ed25519: 'Ed25519',
  // The name of Ed25519 before RFC 9864.
  eddsa: 'Ed25519',
}

/** Makes a key for tokens, or a secret, and writes it where it was asked for. */
export async function makeKey({ alg, secret, out, stdout }: KeygenFlags): Promise<number> {
  if (secret && alg !== undefined) throw new Failure('A secret has no algorithm: write --secret or --alg.')
  if ((out === undefined) === !stdout)
    throw new Failure('Say where the key goes: --out <file>, or --stdout to print it.')
  const algorithm = ALGORITHMS[(alg ?? 'ES256').toLowerCase()]
  if (algorithm === undefined) throw new Failure(`--alg takes ES256 or Ed25519, not ${alg}.`)
  const key = secret ? randomBytes(32).toString('base64url') : generateKey(algorithm)
  if (out === undefined) await print(key)
  else {
    writePrivately(out, `${key}\n`)
    tell(`${secret ? 'A secret of 32 random bytes' : `A private ${algorithm} key`} is in ${out} (mode 600).`)
  }
  return EXIT.done
}

/** @throws Failure where the file exists: a key that is in use must not be lost. */
function writePrivately(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'EEXIST') throw new Failure(`The file ${path} exists already, and stays as it is.`)
    throw new Failure(`The file ${path} cannot be written (${code}).`)
  }
}
