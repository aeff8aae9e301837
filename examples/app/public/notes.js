// The access token is kept in this variable alone: whatever else can read the page's storage, the
// token is not there, and it is gone when the page is.
let accessToken
let gettingToken

const list = document.querySelector('#notes')
const status = document.querySelector('#status')
const form = document.querySelector('#add')

/** Gets an access token for the session of the page. Calls at once share one request. */
function getToken() {
  gettingToken ??= fetch('/token', { method: 'POST' })
    .then(async (response) => {
      if (!response.ok) throw response
      accessToken = (await response.json()).access_token
    })
    .finally(() => {
      gettingToken = undefined
    })
  return gettingToken
}

/** Calls the API. A token that has expired is replaced once. */
async function call(method, body) {
  for (let attempt = 1; ; attempt++) {
    if (accessToken === undefined) await getToken()
    const response = await fetch('/api/notes', {
      method,
      headers: {
        Authorization: `Bearer ${accessToken}`,
        ...(body && { 'Content-Type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
    })
    if (response.ok) return (await response.json()).notes
    if (response.status !== 401 || attempt === 2) throw response
    accessToken = undefined
  }
}

async function show(method, body) {
  try {
    const notes = await call(method, body)
    list.replaceChildren(
      ...notes.map((text) => {
        const item = document.createElement('li')
        item.textContent = text
        return item
      }),
    )
    status.textContent = notes.length === 0 ? 'There are no notes yet.' : ''
    return true
  } catch (failure) {
    const isSignedOut = failure.status === 401
    status.textContent = isSignedOut ? 'You are signed out.' : 'The notes cannot be read just now.'
    if (isSignedOut) list.replaceChildren()
    return !isSignedOut
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const text = new FormData(form).get('text')
  if (await show('POST', { text })) form.reset()
})

/** Shows what other tabs and programs add, until the user is signed out. */
async function poll() {
  if (await show('GET')) setTimeout(poll, 1000)
}
poll()
