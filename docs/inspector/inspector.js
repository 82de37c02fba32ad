// Explains what is pasted, as soon as it is pasted. All rules are the core's; this file only shows its answers.

import { explain } from './gatepass.js';

const form = document.getElementById('question');
const answer = document.getElementById('answer');

const made = (tag, text, className = '') => Object.assign(document.createElement(tag), { textContent: text, className });

/** What the form says, as options of `explain`; empty fields are left out. */
function options(fields) {
  const { time, ...given } = Object.fromEntries(Object.entries(fields).filter(([, value]) => value.trim() !== ''));
  return time === undefined ? given : { ...given, clock: () => new Date(time).getTime() };
}

const VERDICTS = new Map([
  [true, ['It is accepted.', 'good']],
  [false, ['It is refused.', 'bad']],
  [null, ['No problem found, but undecided.', 'open']],
]);

function moment(seconds) {
  const date = new Date(seconds * 1000);
  const minutes = Math.round((date - Date.now()) / 60_000);
  const relative = new Intl.RelativeTimeFormat('en').format(
    ...(Math.abs(minutes) < 120 ? [minutes, 'minute'] : [Math.round(minutes / 60), 'hour']),
  );
  return `${date.toLocaleString()} (${relative})`;
}

function verdict(words, className) {
  Object.assign(document.getElementById('verdict'), { textContent: words, className });
}

function show({ accepted, claims, findings, text }) {
  const [words, className] = VERDICTS.get(accepted);
  // Its first line says what kind of token this is.
  verdict(`${text.split('\n', 1)[0]} ${words}`, className);
  document.getElementById('findings').replaceChildren(...findings.map(({ level, code, title, found, todo }) => {
    const item = made('li', '', level);
    const heading = made('p', '', 'title');
    heading.append(made('span', level, 'level'), ` ${title}`);
    if (code) heading.append(' ', made('code', code));
    item.append(heading);
    if (found) item.append(made('p', found));
    if (todo) item.append(made('p', todo, 'todo'));
    return item;
  }));
  const shown = [
    ['iss', claims.iss],
    ['aud', claims.aud.join(', ')],
    ['email', claims.email],
    ['iat', claims.iat === null ? null : moment(claims.iat)],
    ['exp', claims.exp === null ? null : moment(claims.exp)],
  ];
  document.getElementById('claims').replaceChildren(
    ...shown.flatMap(([name, value]) => [made('dt', name), made('dd', value || 'missing', value ? '' : 'missing')]),
  );
}

/** The header and the payload, for reading only: nothing is decided by them. */
function decoded(text) {
  const token = /[\w-]+\.[\w-]+\.[\w-]*/.exec(text.replace(/\s+(?=[\w.-]+$)/gm, ''))?.[0] ?? '';
  const [header, payload] = token.split('.');
  try {
    return [header, payload].map((part) => {
      const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
      return JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)), null, 2);
    }).join('\n');
  } catch {
    return 'There is nothing to decode.';
  }
}

function explained() {
  const { token, ...rest } = Object.fromEntries(new FormData(form));
  answer.hidden = token.trim() === '';
  if (answer.hidden) return;
  document.getElementById('decoded').textContent = decoded(token);
  try {
    show(explain(token, options(rest)));
  } catch (error) {
    verdict(error.message, 'bad');
    document.getElementById('findings').replaceChildren();
    document.getElementById('claims').replaceChildren();
  }
}

form.addEventListener('input', explained);
form.addEventListener('submit', (event) => event.preventDefault());
// A browser may have kept what was in the fields.
explained();
document.documentElement.dataset.ready = 'yes';
