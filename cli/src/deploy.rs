//! `funcatron deploy`: a bundle is uploaded and serves a route.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use wire::admin::{BundleInfo, DeployRequest, Deployed, RouteInfo};

use crate::connection::Given;
use crate::output::{Format, Output};
use crate::replay::{Gate, MaxDiff};
use crate::server::Server;
use crate::{folder, output, selection};

/// Upload a bundle and let it serve a route
///
/// The document says which route: its host and base path, unless they are given here. Props and
/// outbound hosts stay as they are when they are not given.
#[derive(Debug, clap::Args)]
#[command(visible_alias = "push")]
pub(crate) struct Deploy {
    /// A Func folder or a bundle
    #[arg(default_value = ".", value_name = "DIR|BUNDLE")]
    path: PathBuf,
    /// The host instead of the document's; `*` is any
    #[arg(long, value_name = "HOST")]
    host_name: Option<String>,
    /// The base path instead of the document's
    #[arg(long, value_name = "PATH")]
    base_path: Option<String>,
    /// A JSON file with the props
    #[arg(long, value_name = "FILE")]
    props: Option<PathBuf>,
    /// One of the props; the value is JSON or else text
    #[arg(short = 'p', long = "prop", value_name = "KEY=VALUE")]
    prop: Vec<String>,
    /// Hosts that the Func may call, as host or host:port; --outbound= for none
    #[arg(long, value_name = "HOST,…", value_delimiter = ',')]
    outbound: Option<Vec<String>>,
    /// The share of the route's calls in percent; the bundles already there keep the rest
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    weight: Option<u32>,
    /// Take the route even from a bundle with another title
    #[arg(long)]
    replace: bool,
    /// Deploy it only if it answers these captured calls as they were answered
    ///
    /// They are run in this process, with the props that are given here.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// How many of those answers may differ: a number, or a share such as 1%
    #[arg(long, requires = "replay", default_value = "0", value_name = "N|PERCENT")]
    max_diff: MaxDiff,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

impl Deploy {
    pub(crate) fn run(self) -> Result<()> {
        let props = props(self.props.as_deref(), &self.prop)?;
        let bundle = folder::bundle(&self.path)?;
        if let Some(file) = self.replay {
            let props = props.clone().unwrap_or_default();
            Gate { file, max_diff: self.max_diff, props, given: &self.given }.check(bundle.clone())?;
        }
        let server = Server::choose(&self.given)?;
        let uploaded: BundleInfo = server
            .post_bytes("/bundles", "application/zip", bundle.to_vec())
            .with_context(|| format!("upload {}", self.path.display()))?;
        let request = DeployRequest {
            sha: uploaded.sha.clone(),
            host: self.host_name,
            base_path: self.base_path.map(from_root),
            props,
            outbound: self.outbound.map(named),
            weight: self.weight,
            replace: self.replace,
        };
        let deployed: Deployed = server.post("/deployments", &request)?;
        if self.output.format == Format::Json {
            output::json(&deployed)?;
        } else {
            tell(&server, &uploaded, &deployed)?;
        }
        match deployed.failure {
            Some(failure) => bail!("no runner could load it: {failure}"),
            None => Ok(()),
        }
    }
}

fn tell(server: &Server, uploaded: &BundleInfo, deployed: &Deployed) -> Result<()> {
    let route: RouteInfo = server.get(&format!("/routes/{}", deployed.route))?;
    let (number, sha, place) = (deployed.deployment.number, uploaded.sha.short(), selection::name(&route));
    output::line(format!(
        "deployment {number}: {} {sha} serves {place} (route {})",
        uploaded.title, route.id
    ))?;
    if let Some(alarm) = &deployed.alarm {
        output::remark(format!("nobody can run it: {alarm}; its calls get a 503 until somebody can"));
    } else if !deployed.ready && deployed.failure.is_none() {
        output::remark("no runner has loaded it yet; `funcatron members` shows who is there");
    }
    Ok(())
}

/// A base path with the slash that people leave out.
fn from_root(path: String) -> String {
    if path.starts_with('/') { path } else { format!("/{path}") }
}

/// Hosts without the empty one that `--outbound=` is.
fn named(mut hosts: Vec<String>) -> Vec<String> {
    hosts.retain(|host| !host.is_empty());
    hosts
}

/// The props that were given, a single one before those of the file.
pub(crate) fn props(file: Option<&std::path::Path>, pairs: &[String]) -> Result<Option<Map<String, Value>>> {
    if file.is_none() && pairs.is_empty() {
        return Ok(None);
    }
    let mut props = file.map_or_else(|| Ok(Map::new()), read)?;
    for pair in pairs {
        let (key, value) = pair.split_once('=').with_context(|| format!("{pair} is not KEY=VALUE"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_text| Value::String(value.to_owned()));
        props.insert(key.to_owned(), value);
    }
    Ok(Some(props))
}

fn read(path: &std::path::Path) -> Result<Map<String, Value>> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} must hold one JSON object", path.display()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(clap::Parser)]
    struct Typed {
        #[command(flatten)]
        deploy: Deploy,
    }

    #[test]
    fn hosts_leave_the_folder_that_follows_them_alone() {
        let typed = |words: &str| Typed::parse_from(words.split(' ')).deploy;
        let deploy = typed("deploy --outbound a.example,b.example --outbound c.example pets");
        assert_eq!(deploy.path, PathBuf::from("pets"));
        assert_eq!(deploy.outbound.unwrap(), ["a.example", "b.example", "c.example"]);
        let deploy = typed("deploy --outbound= pets");
        assert!(deploy.outbound.map(named).unwrap().is_empty());
    }

    #[test]
    fn a_base_path_begins_with_a_slash_whether_typed_or_not() {
        assert_eq!([from_root("pets".into()), from_root("/pets".into())], ["/pets", "/pets"]);
    }

    #[test]
    fn props_keep_what_is_there_unless_given() {
        assert_eq!(props(None, &[]).unwrap(), None);
    }

    #[test]
    fn a_prop_is_json_or_else_text_and_beats_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("props.json");
        fs::write(&file, r#"{"a": 1, "b": 2}"#).unwrap();
        let pairs = ["a=true".to_owned(), "c=x=y".to_owned()];
        let props = props(Some(&file), &pairs).unwrap().unwrap();
        assert_eq!(Value::Object(props), json!({ "a": true, "b": 2, "c": "x=y" }));
    }

    #[test]
    fn what_is_no_prop_is_named() {
        assert_eq!(props(None, &["a".to_owned()]).unwrap_err().to_string(), "a is not KEY=VALUE");
    }
}
