//! `Platform`: the same scenarios as for `funcatron dev`, on processes of their own over RabbitMQ.

use std::ops::Deref;
use std::path::Path;

use harness::{Client, Cluster, Size};

pub(crate) use harness::{sample, test_func};

/// A running platform. Dropping it ends its processes.
pub(crate) struct Platform {
    client: Client,
    cluster: Cluster,
}

/// The binary under test.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_funcatron"))
}

impl Platform {
    /// Serves copies of these Func folders.
    pub(crate) fn serving(funcs: &[&Path]) -> Self {
        let cluster = Cluster::start(program(), Size { frontends: 1, trons: 1, runners: 1 });
        funcs.iter().for_each(|func| cluster.deploy(func));
        Self { client: cluster.client(), cluster }
    }

    /// Serves a Func as it was saved.
    pub(crate) fn saved(&self, name: &str) {
        self.cluster.deploy(&self.func(name));
    }
}

impl Deref for Platform {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
