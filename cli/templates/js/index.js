// One exported function for each operationId of funcatron.yaml.
// The request has been checked when it gets here; a plain value is sent as JSON.

export function getHello({ params }) {
  return { message: `Hello, ${params.name}!` };
}
