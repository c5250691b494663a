//! `funcatron deploy`: a bundle is uploaded and serves a route.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ArgGroup;
use serde_json::{Map, Value};
use wire::admin::{BundleInfo, DeployRequest, Deployed, RouteInfo};
use wire::{Percent, Trial};

use crate::connection::Given;
use crate::output::{Format, Output};
use crate::replay::{Gate, MaxDiff};
use crate::server::Server;
use crate::{folder, output, selection, trials};

/// Upload a bundle and let it serve a route
///
/// The document says which route: its host and base path, unless they are given here. Props and
/// outbound hosts stay as they are when they are not given. They are the route's: a bundle on trial
/// cannot bring others.
#[derive(Debug, clap::Args)]
#[command(visible_alias = "push")]
#[command(group(ArgGroup::new("judged").args(["replay", "mirror", "canary"]).multiple(true)))]
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
    #[command(flatten)]
    trial: OnTrial,
    /// Take the route even from a bundle with another title
    #[arg(long)]
    replace: bool,
    /// Deploy it only if it answers these captured calls as they were answered
    ///
    /// They are run in this process. Props that the route has must be given here as well: what they are no server
    /// tells.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// How many of those answers, or of the copies that a bundle on trial gets, may differ: a share such as 1%, or
    /// of captured calls a number
    #[arg(long, requires = "judged", default_value = "0", value_name = "N|PERCENT")]
    max_diff: MaxDiff,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

/// What the bundle has to prove before it is trusted
#[derive(Debug, clap::Args)]
struct OnTrial {
    /// Put the bundle on trial: it gets copies of so many of the route's calls and no call of a client, and goes from
    /// the route by itself when it answers them otherwise
    #[arg(long, value_name = "PERCENT", conflicts_with_all = ["canary", "weight"])]
    mirror: Option<Percent>,
    /// The same, but it gets so many calls of clients as well as copies of so many of the others
    #[arg(long, value_name = "PERCENT", conflicts_with = "weight", value_parser = whole)]
    canary: Option<u32>,
    /// How many of its calls may fail
    #[arg(long, value_name = "PERCENT", default_value = "1%")]
    max_errors: Percent,
    /// How many calls or copies there have to be before it is judged
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    min_calls: u64,
}

impl OnTrial {
    fn weight(&self) -> Option<u32> {
        self.canary.or_else(|| self.mirror.map(|_copies_alone| 0))
    }

    fn trial(&self, max_diff: MaxDiff) -> Result<Option<Trial>> {
        let canary = || Percent::try_from(f64::from(self.canary?)).ok();
        let Some(mirror) = self.mirror.or_else(canary) else { return Ok(None) };
        let differences_max = match max_diff {
            MaxDiff::Share(share) => share,
            MaxDiff::Calls(0) => Percent::NONE,
            MaxDiff::Calls(_) => bail!("--max-diff of a bundle on trial is a share, such as 1%"),
        };
        let Self { max_errors: failures_max, min_calls: calls_min, .. } = *self;
        Ok(Some(Trial { mirror, failures_max, differences_max, calls_min, began: 0 }))
    }
}

/// A share of clients' calls, which is of whole percents.
fn whole(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse();
    number
        .ok()
        .filter(|percent| (1..100).contains(percent))
        .ok_or_else(|| "it must be from 1% to 99%".to_owned())
}

impl Deploy {
    pub(crate) fn run(self) -> Result<()> {
        let props = props(self.props.as_deref(), &self.prop)?;
        let trial = self.trial.trial(self.max_diff)?;
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
            weight: self.trial.weight().or(self.weight),
            trial,
            replace: self.replace,
        };
        let deployed: Deployed = server.post("/deployments", &request)?;
        if self.output.format == Format::Json {
            output::json(&deployed)?;
        } else {
            tell(&server, &uploaded, &deployed)?;
        }
        match deployed.failure {
            Some(failure) => bail!("it cannot be run: {failure}"),
            None => Ok(()),
        }
    }
}

fn tell(server: &Server, uploaded: &BundleInfo, deployed: &Deployed) -> Result<()> {
    let route: RouteInfo = server.get(&format!("/routes/{}", deployed.route))?;
    let (number, sha, place) = (deployed.deployment.number, uploaded.sha.short(), selection::name(&route));
    let (title, id) = (&uploaded.title, &route.id);
    let is_there = route.bundles.iter().any(|bundle| bundle.sha == uploaded.sha);
    output::line(if deployed.unchanged {
        format!("nothing changed: {title} {sha} serves {place} already (route {id})")
    } else if is_there {
        format!("deployment {number}: {title} {sha} serves {place} (route {id})")
    } else {
        format!(
            "deployment {number}: {title} {sha} was put on trial at {place} and is gone again (route {id})"
        )
    })?;
    for trial in route.trials.iter().filter(|trial| trial.sha == uploaded.sha) {
        output::remark(format!(
            "it is on trial; `funcatron describe {place}` shows how it does: {}",
            trials::told(trial)
        ));
    }
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
    fn a_bundle_on_trial_gets_calls_as_a_canary_and_copies_either_way() {
        let typed = |words: &str| Typed::try_parse_from(words.split(' ')).map(|typed| typed.deploy);
        let trial = |deploy: &Deploy| deploy.trial.trial(deploy.max_diff);
        let mirror = typed("deploy --mirror 2.5%").unwrap();
        assert_eq!(mirror.trial.weight(), Some(0));
        assert_eq!(trial(&mirror).unwrap().unwrap().mirror.to_string(), "2.5%");
        let canary = typed("deploy --canary 10% --max-errors 5 --max-diff 3% --min-calls 7").unwrap();
        let told = trial(&canary).unwrap().unwrap();
        assert_eq!(
            (canary.trial.weight(), told.mirror.to_string(), told.calls_min),
            (Some(10), "10%".into(), 7)
        );
        let shares = [told.failures_max, told.differences_max].map(|share| share.to_string());
        assert_eq!(shares, ["5%", "3%"]);
        assert_eq!(trial(&typed("deploy").unwrap()).unwrap(), None);
        assert!(trial(&typed("deploy --mirror 1 --max-diff 3").unwrap()).is_err(), "3 of how many");
        for words in [
            "--canary 100%",
            "--canary 1.5%",
            "--mirror 1 --canary 1",
            "--mirror 1 --weight 1",
            "--max-diff 1%",
        ] {
            assert!(typed(&format!("deploy {words}")).is_err(), "{words}");
        }
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
