/** A module that cannot be loaded. */
throw new Error('there is no server')
