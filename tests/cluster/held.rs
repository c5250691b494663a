//! `Held`: a call that is known to run, for as long as a test wants it to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use harness::{Cluster, test_func};

/// A call whose Func waits for an answer from the test.
pub(crate) struct Held {
    client: TcpStream,
    asking: TcpStream,
}

impl Held {
    /// Deploys a Func, calls it and waits until it runs.
    pub(crate) fn begin(cluster: &Cluster) -> Self {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap().to_string();
        cluster.deploy_with(&test_func("hostile"), &["--outbound", &address]);
        let mut client = cluster.client().connect();
        let request = format!("GET /hostile/fetch?url=http://{address}/ HTTP/1.1\r\nhost: a\r\n");
        client.write_all(format!("{request}connection: close\r\n\r\n").as_bytes()).unwrap();
        let (mut asking, _) = other.accept().unwrap();
        // No client takes an answer to what it has not asked yet.
        assert!(asking.read(&mut [0; 1024]).unwrap() > 0);
        Self { client, asking }
    }

    /// Lets it end; its response, head and all.
    pub(crate) fn end(mut self) -> String {
        self.asking
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ndone")
            .unwrap();
        let mut reply = String::new();
        self.client.read_to_string(&mut reply).unwrap();
        reply
    }
}
