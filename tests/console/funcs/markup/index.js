export function say(request) {
  const { params, query, body } = request;
  console[query.level ?? 'log'](params.text);
  return { said: params.text, words: query.words ?? [], body };
}

export function when() {
  return { at: new Date().toISOString(), id: crypto.randomUUID(), lucky: Math.random() };
}

export function fail() {
  console.error('ERROR <img src=x onerror="window.ran=\'log\'">');
  throw new Error('<img src=x onerror="window.ran=\'error\'">');
}

export function secret() {
  return { secret: true };
}
