// Passes the secrets that it was given on, is given others, and gives some of them back.
export async function login({ params, query, headers, body, props }) {
  const answer = await fetch(`${props.up}/token?api_key=${encodeURIComponent(query.pin)}`, {
    method: "POST",
    headers: { authorization: headers["authorization"], "x-api-key": headers["x-vault-key"] },
    body: JSON.stringify({ password: body.password, code: params.code }),
  });
  const said = await answer.text();
  const given = { "x-token": params.code, "set-cookie": `session=${headers["x-pin"]}` };
  return Response.json({ name: "visible", token: query.pin, said }, { headers: given });
}
