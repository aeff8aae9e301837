import { execFile } from 'node:child_process'

/** Runs a command and returns its output. The error of a failed command contains the output. */
export function run(
  cwd: string,
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const options = {
    cwd,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', ...env },
    timeout: 120_000,
    maxBuffer: 2 ** 26,
  }
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      const end = error.killed ? 'did not end in two minutes' : `ended with ${error.code ?? error.signal}`
      // A URL may contain a password.
      const shown = args.filter((argument) => !argument.includes('://'))
      reject(new Error(`${command} ${shown.join(' ')} ${end}\n${stdout}\n${stderr}`.trim()))
    })
  })
}
