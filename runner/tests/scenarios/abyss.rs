//! `Abyss`: a host that never answers, for calls that have to hang.

use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use wire::Invoke;

use crate::harness::{Deployment, Harness, config, invoke, start_with};

/// A host that never answers. Whoever calls it hangs until it is ended, and has been begun for certain.
pub(crate) struct Abyss {
    listener: TcpListener,
    fallen: Vec<TcpStream>,
}

impl Abyss {
    pub(crate) async fn open() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), fallen: Vec::new() }
    }

    fn host(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    /// A call that hangs in there.
    pub(crate) fn call(&self) -> Invoke {
        invoke("GET", &format!("/api/fetch?url=http://{}/", self.host()))
    }

    /// Waits until a call has come in.
    pub(crate) async fn swallow(&mut self) {
        let fallen = tokio::time::timeout(Duration::from_secs(60), self.listener.accept()).await;
        self.fallen.push(fallen.unwrap().unwrap().0);
    }

    /// A runner that begins one call at a time and gives it no time when it ends.
    pub(crate) async fn runner(&self) -> Harness {
        let mut config = config();
        (config.slots, config.drain_timeout) = (1, Duration::ZERO);
        let mut deployment = Deployment::of("tests/funcs/hostile");
        deployment.outbound = vec![self.host()];
        start_with(config, deployment).await
    }
}
