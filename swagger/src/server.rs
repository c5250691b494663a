//! Where a document says it is served: Swagger 2.0 `host` and `basePath`, or the first of 3.x `servers`.

use crate::{
    BasePath, HostPattern,
    node::Node,
    reader::{Reader, Version},
};

impl<'v> Reader<'v> {
    /// The host and base path that the document claims.
    pub(crate) fn served_at(&mut self) -> (HostPattern, BasePath) {
        let root = Node::root(self.root);
        match self.version {
            Version::V2 => {
                let host = root.text("host").unwrap_or_default();
                let path = root.text("basePath").unwrap_or_default();
                (self.host(host, "/host"), self.base_path(path, "/basePath"))
            }
            _ => match root.child("servers").and_then(|servers| servers.items().next()) {
                Some(server) => self.server(&server),
                None => (HostPattern::ANY, BasePath::default()),
            },
        }
    }

    fn server(&mut self, server: &Node<'v>) -> (HostPattern, BasePath) {
        let at = format!("{}/url", server.pointer);
        let url = self.substituted(server, &at);
        if url.contains(['?', '#']) {
            self.fault(at.as_str(), "a server url has no query and no fragment");
            return (HostPattern::ANY, BasePath::default());
        }
        let absolute = url.split_once("://").map(|(_, rest)| rest).or_else(|| url.strip_prefix("//"));
        let Some(rest) = absolute else {
            let path = url.trim_start_matches("./");
            let path =
                if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
            return (HostPattern::ANY, self.base_path(&path, &at));
        };
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        (self.host(host, &at), self.base_path(path, &at))
    }

    /// The url with each variable replaced by its default.
    fn substituted(&mut self, server: &Node<'v>, at: &str) -> String {
        let Some(url) = server.text("url") else {
            self.fault(at, "a server must have a url");
            return String::new();
        };
        let variables = server.child("variables");
        let mut text = String::new();
        let mut rest = url;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').unwrap_or((after, ""));
            let variable = variables.as_ref().and_then(|variables| variables.child(name));
            text.push_str(before);
            match variable.as_ref().and_then(|variable| variable.text("default")) {
                Some(default) => text.push_str(default),
                None => self.fault(at, format!("the variable {name:?} has no default")),
            }
            rest = tail;
        }
        text.push_str(rest);
        text
    }

    /// A development server on this machine claims no host.
    fn host(&mut self, text: &str, at: &str) -> HostPattern {
        if text.is_empty() {
            return HostPattern::ANY;
        }
        match HostPattern::parse(text) {
            Ok(host) if matches!(host.exact(), Some("localhost" | "127.0.0.1" | "[::1]" | "0.0.0.0")) => {
                HostPattern::ANY
            }
            Ok(host) => host,
            Err(error) => {
                self.fault(at, error.to_string());
                HostPattern::ANY
            }
        }
    }

    fn base_path(&mut self, text: &str, at: &str) -> BasePath {
        BasePath::parse(text).unwrap_or_else(|error| {
            self.fault(at, error.to_string());
            BasePath::default()
        })
    }
}
