//! What each operation of the admin API does.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use swagger::Checked;
use wire::ActivationId;
use wire::admin::{Deployment, LogEntry};
use wire::http::{BodyReader, Response};

use super::Api;
use super::refused::Refused;
use crate::Place;
use crate::query::Query;

/// Who changes made with the one token are by.
const BY: &str = "admin";

impl Api {
    /// Carries out an operation whose request the document has accepted.
    pub(super) async fn call(&self, checked: &Checked<'_>, body: Bytes) -> Result<Response, Refused> {
        let (handle, path) = (&self.handle, &checked.path_params);
        match checked.operation.id() {
            "uploadBundle" => {
                let uploaded = handle.upload(body).await?;
                json(if uploaded.is_new { 201 } else { 200 }, &*uploaded.bundle)
            }
            "listBundles" => {
                let bundles = handle.bundles().await?;
                json(200, &bundles.iter().map(|bundle| &**bundle).collect::<Vec<_>>())
            }
            "getBundle" => json(200, &*handle.bundle(&required(path, "sha")?).await?),
            "getBundleDocument" => response(
                200,
                Some("application/json"),
                handle.bundle_document(&required(path, "sha")?).await?,
            ),
            "downloadBundle" | "getBundleObject" => {
                let zip = handle.bundle_content(&required(path, "sha")?).await?;
                response(200, Some("application/zip"), zip)
            }
            "getBodyObject" => match handle.body_object(&required(path, "sha")?).await? {
                Some(bytes) => response(200, Some("application/octet-stream"), bytes),
                None => Err(Refused::not_found("no such object")),
            },
            "putBodyObject" => {
                handle.put_body_object(required(path, "sha")?, body).await?;
                response(204, None, Bytes::new())
            }
            "getCallRecord" => match handle.call_record(required(path, "kind")?, called(path)?).await? {
                Some(record) => response(200, Some("application/json"), record),
                None => Err(Refused::not_found("no such record")),
            },
            "putCallRecord" => {
                handle.put_call_record(required(path, "kind")?, called(path)?, &body).await?;
                response(204, None, Bytes::new())
            }
            "deleteCallRecord" => {
                handle.delete_call_record(required(path, "kind")?, called(path)?).await?;
                response(204, None, Bytes::new())
            }
            "deleteBundle" => {
                handle.delete_bundle(&required(path, "sha")?).await?;
                response(204, None, Bytes::new())
            }
            "deploy" => json(201, &handle.deploy(&read(&body)?, BY).await?),
            "listDeployments" => json(200, &handle.history().await?),
            "getDeployment" => {
                json(200, &without_values(handle.deployment(required(path, "number")?).await?))
            }
            "rollback" => json(201, &handle.rollback(&read(&body)?, BY).await?),
            "listRoutes" => json(200, &handle.routes().await?),
            "getRoute" => json(200, &handle.route(&required(path, "id")?).await?),
            "undeploy" => json(200, &handle.undeploy(&required(path, "id")?, BY).await?),
            "listDeadQueues" => json(200, &handle.dead_queues().await?),
            "listDeadLetters" => {
                let limit = optional(&checked.query_params, "limit")?.unwrap_or(Query::LIMIT_DEFAULT);
                json(200, &handle.dead_letters(&required::<String>(path, "name")?, limit).await?)
            }
            "redrive" => json(200, &handle.redrive(&required::<String>(path, "name")?, &read(&body)?).await?),
            "purge" => {
                let id: Option<String> = optional(&checked.query_params, "id")?;
                json(200, &handle.purge(&required::<String>(path, "name")?, id.as_deref()).await?)
            }
            "getStats" => json(200, &handle.stats().await?),
            "startCapture" => json(201, &handle.start_capture(read(&body)?, BY).await?),
            "listCaptures" => json(200, &handle.captures().await?),
            "getCapture" => json(200, &handle.capture(&required(path, "id")?).await?),
            "stopCapture" => json(200, &handle.stop_capture(&required(path, "id")?, BY).await?),
            "removeCapture" => {
                handle.remove_capture(&required(path, "id")?, BY).await?;
                response(204, None, Bytes::new())
            }
            "exportCapture" => {
                let export = handle.export_capture(&required(path, "id")?, BY).await?;
                Ok(wire::http::streamed_lines(export.into_stream()))
            }
            "listLevels" => json(200, &handle.levels().await?),
            "setLevel" => json(200, &handle.set_level(&required(path, "id")?, &read(&body)?, BY).await?),
            "resetLevel" => {
                handle.reset_level(&required(path, "id")?, BY).await?;
                response(204, None, Bytes::new())
            }
            "listMembers" => json(200, &handle.members()),
            "listActivations" => self.list_activations(&checked.query_params),
            "listLogs" => self.list_logs(&checked.query_params),
            "getHealth" => json(200, &handle.health()),
            "getOpenApi" => response(200, Some("application/json"), self.document_json.clone()),
            other => Err(Refused::internal(format_args!("operation {other} is documented and not there"))),
        }
    }

    /// Makes a call of a route. Its place is given back when the answer has been written.
    pub(super) async fn call_route(
        &self,
        checked: &Checked<'_>,
        body: &[u8],
        mut place: Place,
    ) -> Result<Response, Refused> {
        let (id, request) = (required(&checked.path_params, "id")?, read(body)?);
        let compared = self.handle.call_compared(&mut place, &id, request).await?;
        let json = serde_json::to_vec(&compared).map_err(Refused::internal)?;
        response(200, Some("application/json"), Bytes::from_owner(Written { json, _place: place }))
    }

    /// Reads a file of captured calls as it comes: it may be far longer than what is held of a request.
    pub(super) async fn import(&self, mut file: BodyReader<'_>) -> Result<Response, Refused> {
        let mut import = self.handle.begin_import(BY).await?;
        while let Some(data) = file.next().await? {
            import.push(&data).await?;
        }
        json(201, &import.finish().await?)
    }

    fn list_activations(&self, params: &Map<String, Value>) -> Result<Response, Refused> {
        let (query, follows) = query(params)?;
        if follows { Ok(self.follow_activations(query)) } else { json(200, &self.handle.activations(&query)) }
    }

    fn list_logs(&self, params: &Map<String, Value>) -> Result<Response, Refused> {
        let (query, follows) = query(params)?;
        if follows {
            return Ok(self.follow_logs(query));
        }
        let entries: Vec<LogEntry> = self.handle.logs(&query);
        json(200, &entries)
    }
}

/// What a call came to, as it is written.
struct Written {
    json: Vec<u8>,
    _place: Place,
}

impl AsRef<[u8]> for Written {
    fn as_ref(&self) -> &[u8] {
        &self.json
    }
}

/// The query, and whether it is to be followed.
fn query(params: &Map<String, Value>) -> Result<(Query, bool), Refused> {
    let query = Query {
        request_id: optional(params, "request_id")?,
        route: optional(params, "route")?,
        bundle: optional(params, "bundle")?,
        since: optional(params, "since")?,
        level: optional(params, "level")?,
        limit: optional(params, "limit")?.unwrap_or(Query::LIMIT_DEFAULT),
    };
    Ok((query, optional(params, "follow")?.unwrap_or(false)))
}

/// The call whose record is asked for.
fn called(path: &Map<String, Value>) -> Result<ActivationId, Refused> {
    let file: String = required(path, "file")?;
    let id = file.strip_suffix(".json").and_then(|id| id.parse().ok());
    id.ok_or_else(|| Refused::invalid("file is not named for a call"))
}

fn required<T: DeserializeOwned>(params: &Map<String, Value>, name: &str) -> Result<T, Refused> {
    optional(params, name)?.ok_or_else(|| Refused::invalid(format!("{name} is missing")))
}

fn optional<T: DeserializeOwned>(params: &Map<String, Value>, name: &str) -> Result<Option<T>, Refused> {
    let value = params.get(name).cloned().map(serde_json::from_value).transpose();
    value.map_err(|error| Refused::invalid(format!("{name}: {error}")))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused::invalid(format!("body: {error}")))
}

/// Settings may be secrets: whoever may deploy need not be able to read them.
fn without_values(mut deployment: Deployment) -> Deployment {
    let routes = deployment.routes.iter_mut();
    routes.flat_map(|route| route.props.values_mut()).for_each(|value| *value = Value::Null);
    deployment
}

fn json<T: Serialize + ?Sized>(status: u16, value: &T) -> Result<Response, Refused> {
    let body = serde_json::to_vec(value).map_err(Refused::internal)?;
    response(status, Some("application/json"), body.into())
}

fn response(status: u16, content_type: Option<&str>, body: Bytes) -> Result<Response, Refused> {
    let headers: Vec<(String, String)> =
        content_type.iter().map(|media_type| ("content-type".to_owned(), (*media_type).to_owned())).collect();
    wire::http::full(status, &headers, body).map_err(Refused::internal)
}
