// The access token is kept in this variable alone: whatever else can read the page's storage, the
// token is not there, and it is gone when the page is.
let accessToken
let gettingToken
let isFailing = false

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

let shown

/** Replaces the list only if it changed, so that a poll does not lose what is selected. */
function showNotes(notes) {
  if (JSON.stringify(notes) === shown) return
  shown = JSON.stringify(notes)
  list.replaceChildren(
    ...notes.map((text) => {
      const item = document.createElement('li')
      item.textContent = text
      return item
    }),
  )
}

/** A screen reader reads a text out whenever it is set, so an equal text stays. */
function tell(text) {
  if (status.textContent !== text) status.textContent = text
}

async function show(method, body) {
  try {
    const notes = await call(method, body)
    showNotes(notes)
    if (method === 'POST') tell('The note is added.')
    else if (notes.length === 0) tell('There are no notes yet.')
    else if (isFailing) tell('')
    isFailing = false
    return true
  } catch (failure) {
    const isSignedOut = failure.status === 401
    isFailing = true
    tell(
      isSignedOut
        ? 'You are signed out.'
        : method === 'POST'
          ? 'The note could not be added.'
          : 'The notes cannot be read just now.',
    )
    if (isSignedOut) showNotes([])
    return !isSignedOut
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const text = new FormData(form).get('text')
  if (!(await show('POST', { text })) || isFailing) return
  form.reset()
  form.elements.text.focus()
})

/** Shows what other tabs and programs add, until the user is signed out. */
async function poll() {
  if (await show('GET')) setTimeout(poll, 1000)
}
poll()
