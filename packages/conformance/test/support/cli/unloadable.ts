/** A module that cannot be loaded. The environment variable MUTANT says why. */
if (process.env.MUTANT === 'blocks') for (;;);
if (process.env.MUTANT === 'hangs') await new Promise(() => setInterval(() => {}, 60_000))
if (process.env.MUTANT === 'exits') process.exit(0)
throw new Error('there is no server')
