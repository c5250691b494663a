// One exported function for each operationId of funcatron.yaml.

const WORDS = { en: "Hello", de: "Hallo", fr: "Bonjour", ja: "こんにちは" };

export function getGreeting({ params, query, props }) {
  return greet(params.name, query.lang, props);
}

export function postGreeting({ body, props }) {
  return greet(body.name, body.lang, props);
}

// A deployment may bring words of its own: --prop words='{"en":"Ahoy"}'
function greet(name, lang = "en", { words = {} }) {
  return { message: `${words[lang] ?? WORDS[lang]}, ${name}!`, lang };
}
