/** A module that cannot be loaded. */
if (process.env.FAULT === 'blocks') for (;;);
if (process.env.FAULT === 'hangs') await new Promise(() => setInterval(() => {}, 60_000))
if (process.env.FAULT === 'exits') process.exit(0)
throw new Error('there is no server')
