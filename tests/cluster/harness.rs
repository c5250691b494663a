//! `Platform`: the same scenarios as for `funcatron dev`, on processes of their own over RabbitMQ.

use std::ops::Deref;
use std::path::Path;

use harness::{Client, Cluster, Process, Size};

pub(crate) use harness::{sample, test_func};

/// Two of each: none of them is the only one.
pub(crate) const PAIRS: Size = Size { frontends: 2, trons: 2, runners: 2 };

/// A running platform. Dropping it ends its processes.
pub(crate) struct Platform {
    client: Client,
    pub(crate) cluster: Cluster,
}

/// The binary under test.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_funcatron"))
}

impl Platform {
    /// Serves copies of these Func folders.
    pub(crate) fn serving(funcs: &[&Path]) -> Self {
        Self::of(Cluster::start(program(), Size { frontends: 1, trons: 1, runners: 1 }), funcs)
    }

    /// The same, with two members of each role.
    pub(crate) fn paired(funcs: &[&Path]) -> Self {
        Self::of(Cluster::start(program(), PAIRS), funcs)
    }

    /// Serves copies of these Func folders, with results posted to these hosts.
    pub(crate) fn posting(funcs: &[&Path], callbacks: &str) -> Self {
        let mut cluster = Cluster::start(program(), Size { frontends: 0, trons: 0, runners: 1 });
        cluster.add_tron(&["--callbacks", callbacks]);
        cluster.add_frontend(&["--callbacks", callbacks]);
        cluster.until_ready();
        Self::of(cluster, funcs)
    }

    fn of(cluster: Cluster, funcs: &[&Path]) -> Self {
        funcs.iter().for_each(|func| cluster.deploy(func));
        Self { client: cluster.client(), cluster }
    }

    /// Serves a Func as it was saved.
    pub(crate) fn saved(&self, name: &str) {
        self.cluster.deploy(&self.func(name));
    }

    /// The process ids of everybody on the way of a call.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let Cluster { frontends, trons, runners, .. } = &self.cluster;
        let services = frontends.iter().chain(trons).map(|(process, _)| process);
        services.chain(runners).map(Process::id).collect()
    }
}

impl Deref for Platform {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}
