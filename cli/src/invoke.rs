//! `funcatron invoke`: one call of an operation, by its name.

mod request;

use std::fs;
use std::io::{IsTerminal, Read};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use swagger::Document;
use ureq::http;
use wire::Bundle;
use wire::admin::RouteInfo;

use crate::connection::{Connection, DEFAULT_FRONTEND_URL, DEFAULT_URL, Given, url};
use crate::server::{Server, agent, read};
use crate::{check, output, selection};
use request::{Call, Parameters};

/// Longer than any deadline that the platform sets on its own.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Call an operation by its name
///
/// The body of the response goes to standard output, the status to standard error; the exit code is 1
/// from status 400 on.
#[derive(Debug, clap::Args)]
pub(crate) struct Invoke {
    /// The operationId
    operation: String,
    /// The route, when several have such an operation
    #[arg(long)]
    route: Option<String>,
    /// A parameter of the operation, wherever its place is; again for a list
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// The body: text, @FILE, or - for standard input
    #[arg(short, long, value_name = "DATA|@FILE|-", allow_hyphen_values = true)]
    data: Option<String>,
    /// A header more
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Show the headers of the response as well, on standard error
    #[arg(short, long)]
    include: bool,
    /// Where Funcs answer, when it is not on port 3000 beside the admin API
    #[arg(long, env = "FUNCATRON_FRONTEND_URL", value_name = "URL", value_parser = url)]
    frontend_url: Option<String>,
    #[command(flatten)]
    given: Given,
}

impl Invoke {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let server = Server::choose(&self.given)?;
        let routes: Vec<RouteInfo> = server.get("/routes")?;
        let route = self.route(&routes)?;
        let document = document(&server, route)?;
        let call = self.call(&document, route)?;
        let base = self.frontend_url.clone().map_or_else(|| frontend_url(&server.connection), Ok)?;
        self.send(&base, call)
    }

    /// The one route that has the operation.
    fn route<'r>(&self, routes: &'r [RouteInfo]) -> Result<&'r RouteInfo> {
        if let Some(text) = &self.route {
            return selection::route(routes, text);
        }
        let has =
            |route: &&RouteInfo| route.operations.iter().any(|operation| operation.id == self.operation);
        let found: Vec<&RouteInfo> = routes.iter().filter(has).collect();
        match found.as_slice() {
            [route] => Ok(route),
            [] => bail!(
                "no route has the operation {}; `funcatron describe ROUTE` lists what there is",
                self.operation
            ),
            several => {
                let names: Vec<String> = several.iter().map(|route| selection::name(route)).collect();
                bail!(
                    "several routes have the operation {}: say --route {}",
                    self.operation,
                    names.join(" or --route ")
                )
            }
        }
    }

    fn call(&self, document: &Document, route: &RouteInfo) -> Result<Call> {
        let parameters = Parameters {
            values: pairs(&self.parameters, '=', "NAME=VALUE")?,
            headers: pairs(&self.headers, ':', "NAME: VALUE")?,
            body: self.data.as_deref().map(data).transpose()?,
        };
        let mut call = Call::build(document, &self.operation, parameters)?;
        call.target = format!("{}{}", route.base_path.trim_end_matches('/'), call.target);
        if route.host != "*" && !call.has_header("host") {
            call.headers.push(("host".to_owned(), route.host.clone()));
        }
        Ok(call)
    }

    fn send(&self, base: &str, call: Call) -> Result<ExitCode> {
        let url = format!("{}{}", base.trim_end_matches('/'), call.target);
        let mut request = http::Request::builder().method(call.method.as_str()).uri(&url);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let sent = match call.body {
            Some(body) => run(request.body(body)?),
            None => run(request.body(())?),
        };
        let response = sent.with_context(|| format!("no answer from {url}"))?;
        let status = response.status();
        output::remark(status.to_string());
        if self.include {
            response.headers().iter().for_each(|(name, value)| {
                output::remark(format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
            });
        }
        let body = read(response)?;
        output::bytes(&body)?;
        if std::io::stdout().is_terminal() && !body.ends_with(b"\n") {
            output::remark("");
        }
        Ok(if status.as_u16() >= 400 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn run<B: ureq::AsSendBody>(request: http::Request<B>) -> Result<http::Response<ureq::Body>, ureq::Error> {
    let agent = agent();
    // DELETE and others may carry a body here as they may over HTTP.
    let request =
        agent.configure_request(request).timeout_global(Some(TIMEOUT)).allow_non_standard_methods(true);
    agent.run(request.build())
}

/// The document that the route serves, as it was deployed.
fn document(server: &Server, route: &RouteInfo) -> Result<Document> {
    let bundle = route.bundles.first().context("the route has no bundle")?;
    let zip = server.bytes(&format!("/bundles/{}/content", bundle.sha))?;
    Ok(check::document(&Bundle::open(&zip)?.document)?)
}

/// Where Funcs answer: as saved, or beside the admin API.
fn frontend_url(connection: &Connection) -> Result<String> {
    if let Some(saved) = &connection.frontend_url {
        return Ok(saved.clone());
    }
    if connection.url == DEFAULT_URL {
        return Ok(DEFAULT_FRONTEND_URL.to_owned());
    }
    let uri: http::Uri =
        connection.url.parse().with_context(|| format!("{} is not a URL", connection.url))?;
    let (scheme, host) = (uri.scheme_str().unwrap_or("http"), uri.host().unwrap_or("127.0.0.1"));
    Ok(format!("{scheme}://{host}:3000"))
}

fn pairs(texts: &[String], between: char, shape: &str) -> Result<Vec<(String, String)>> {
    let pair = |text: &String| {
        let (name, value) = text.split_once(between).with_context(|| format!("{text} is not {shape}"))?;
        Ok((name.trim().to_owned(), value.trim_start_matches(' ').to_owned()))
    };
    texts.iter().map(pair).collect()
}

fn data(text: &str) -> Result<Vec<u8>> {
    match (text, text.strip_prefix('@')) {
        ("-", _) => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).context("read standard input")?;
            Ok(bytes)
        }
        (_, Some(path)) => fs::read(path).with_context(|| format!("read {path}")),
        (text, None) => Ok(text.as_bytes().to_vec()),
    }
}
