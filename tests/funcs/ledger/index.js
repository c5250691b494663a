// Each operation tells the sink what is being executed, and only then answers. What sets the operations
// apart is how the platform may repeat them, and what the sink does before it replies.

export const readEntry = record;
export const writeEntry = record;
export const appendEntry = record;
export const slowEntry = record;
export const poisonEntry = record;

async function record({ params, operation, headers, props }) {
  const entry = { id: params.id, attempt: Number(headers["x-funcatron-attempt"]), version: props.version };
  const response = await fetch(`${props.sink}/${operation}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(entry),
  });
  if (!response.ok) throw new Error(`the sink answered ${response.status}`);
  return entry;
}
