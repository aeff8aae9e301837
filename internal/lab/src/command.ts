import { Command, InvalidArgumentError, Option } from 'commander'

/**
 * Makes a command of this repository, which exits with 2 where it is called wrongly: 1 means that it
 * found something.
 *
 * @param name the script in the package.json of the repository
 */
export const makeCommand = (name: string, description: string): Command =>
  new Command(`npx -y pnpm@12 ${name}`)
    .description(description)
    .addHelpText(
      'after',
      '\nExit codes: 0 all promises were kept, 1 one was not, 2 the command was called wrongly.',
    )
    .showHelpAfterError('Add --help to see the options.')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))

/** Returns an option that takes a number, which is at least `least`. */
export function numberOption(flags: string, description: string, preset?: number, least = 0): Option {
  const option = new Option(flags, description).argParser((text) => {
    const number = Number(text)
    if (text.trim() === '' || !(number >= least))
      throw new InvalidArgumentError(`It must be a number, at least ${least}.`)
    return number
  })
  return preset === undefined ? option : option.default(preset)
}

/** Returns the option of the seed, which is printed and repeats a run. */
export const seedOption = (): Option =>
  numberOption('--seed <number>', 'the seed of a run that is to be repeated').default(
    Date.now() % 1_000_000,
    'another one each time',
  )

/** Returns an option that may be given several times. */
export const listOption = (flags: string, description: string, choices: readonly string[]): Option =>
  new Option(flags, `${description}; repeatable`).choices(choices)
