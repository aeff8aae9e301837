/** A handle that begins with a dash, as one in 64 does. The parser would take it for an option. */
const DASHED_HANDLE = /^-[\w-]{42}$/

/** Puts handles that begin with a dash at the end of the arguments, where they cannot be options. */
export function separateHandles(args: readonly string[]): string[] {
  if (args.includes('--')) return [...args]
  const isHandle = (arg: string, index: number) => DASHED_HANDLE.test(arg) && args[index - 1] !== '--user'
  const handles = args.filter(isHandle)
  if (handles.length === 0) return [...args]
  return [...args.filter((arg, index) => !isHandle(arg, index)), '--', ...handles]
}
