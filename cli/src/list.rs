//! `funcatron list`: the bundles that a server holds.

use wire::admin::BundleInfo;

use crate::connection::Given;
use crate::output::Output;
use crate::server::Server;

/// List the bundles that the server holds
#[derive(Debug, clap::Args)]
#[command(visible_alias = "ls")]
pub(crate) struct List {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

impl List {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let bundles: Vec<BundleInfo> = Server::choose(&self.given)?.get("/bundles")?;
        let header = ["BUNDLE", "TITLE", "VERSION", "BASE PATH", "CODE", "BYTES", "OPERATIONS"];
        self.output.show(&bundles, &header, || bundles.iter().map(row).collect())
    }
}

fn row(bundle: &BundleInfo) -> Vec<String> {
    vec![
        bundle.sha.short().to_owned(),
        bundle.title.clone(),
        bundle.version.clone(),
        bundle.base_path.clone(),
        bundle.code.clone(),
        bundle.size.to_string(),
        bundle.operations.len().to_string(),
    ]
}
