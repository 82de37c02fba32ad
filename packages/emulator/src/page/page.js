// Shows what the emulator is asked and what it answers, and hands orders to its control API.

const SHOWN = 100;
const PAUSE_MS = 1000;

const element = (id) => document.getElementById(id);
const made = (tag, text, className = '') => Object.assign(document.createElement(tag), { textContent: text, className });

async function ask(path, order) {
  const request = order === undefined ? {} : { method: 'POST', body: JSON.stringify(order) };
  const response = await fetch(`/emulator/v1/${path}`, request);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `${response.status}`);
  return answer;
}

function row({ at, method, path, status, reason, is_fault: isFault }) {
  const line = document.createElement('tr');
  const time = made('time', new Date(at * 1000).toLocaleTimeString());
  time.dateTime = new Date(at * 1000).toISOString();
  const when = document.createElement('td');
  when.append(time);
  const answer = document.createElement('td');
  const said = status === null ? 'no answer' : String(status);
  answer.append(made('span', isFault ? `${said} (a fault)` : said, status !== null && status < 400 ? 'good' : 'bad'));
  if (reason) answer.append(made('span', reason, 'reason'));
  line.append(when, made('td', `${method} ${path}`, 'request'), answer);
  return line;
}

function say(text, className) {
  const connection = element('connection');
  if (connection.textContent !== text) Object.assign(connection, { textContent: text, className });
}

function show({ exchanges, faults, clock, key_rotations: rotations }) {
  const body = element('requests').tBodies[0];
  for (const exchange of exchanges) body.prepend(row(exchange));
  while (body.rows.length > SHOWN) body.lastElementChild.remove();
  element('requests').hidden = body.rows.length === 0;
  element('no-requests').hidden = body.rows.length > 0;

  element('faults').replaceChildren(...faults.map(({ path, times, effect }) => {
    const item = made('li', '');
    item.append(made('code', path), ` ${effect}, ${times === 1 ? 'once' : `${times} times`}`);
    return item;
  }));
  element('no-faults').hidden = faults.length > 0;
  element('rotations').textContent = rotations === 0 ? 'The first ones.' : `Rotated ${rotations === 1 ? 'once' : `${rotations} times`}.`;
  element('clock').textContent =
    `${new Date(clock.now * 1000).toLocaleString()}, ${clock.offset_seconds} seconds ahead of this machine.`;
}

let seen = 0;
async function refresh() {
  try {
    const activity = await ask(`activity?after=${seen}`);
    seen = activity.exchanges.at(-1)?.number ?? seen;
    show(activity);
    say('Connected.', 'good');
  } catch (error) {
    say(`No connection to the emulator: ${error.message}`, 'bad');
  }
}

async function watch() {
  for (;;) {
    await refresh();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Hands an order over and shows what came of it; a refusal is shown where it was given. */
async function order(giver, path, body, done = () => {}) {
  const section = giver.closest('section');
  section.querySelector('[role=alert]')?.remove();
  try {
    done(await ask(path, body));
    await refresh();
  } catch (error) {
    const refused = made('p', error.message, 'bad');
    refused.setAttribute('role', 'alert');
    section.append(refused);
  }
}

const EFFECTS = {
  drop: { drop: true },
  delay: { delay_ms: 5000 },
  short: { lifetime: 20 },
};

function onSubmit(id, act) {
  element(id).addEventListener('submit', (event) => {
    event.preventDefault();
    act(event.target, Object.fromEntries(new FormData(event.target)));
  });
}

onSubmit('fault', (form, { path, effect, times }) =>
  order(form, 'fault', { path, times: Number(times), ...(EFFECTS[effect] ?? { status: Number(effect) }) }));
onSubmit('offset', (form, { seconds }) => order(form, 'clock', { offset_seconds: Number(seconds) }));
onSubmit('mint', (form, { audience, email }) =>
  order(form, 'mint', { claims: { aud: audience, ...(email && { email }) } }, ({ token }) => {
    element('minted').hidden = false;
    element('minted').querySelector('textarea').value = token;
  }));
for (const [id, path] of [['clear-faults', 'fault:clear'], ['rotate', 'keys:rotate']])
  element(id).addEventListener('click', (event) => order(event.target, path, {}));

watch();
