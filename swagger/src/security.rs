//! `Security` says which credentials a request must carry; whether they are good is the Func's to judge.

use crate::{
    Refusal, Request,
    node::Node,
    parameter::Pairs,
    reader::{Reader, Version},
};

/// The alternatives of an operation; none means that nothing is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Security {
    alternatives: Vec<Vec<Scheme>>,
}

/// How one kind of credentials is carried.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Scheme {
    ApiKey {
        name: String,
        place: Place,
    },
    Basic {
        realm: String,
    },
    Bearer,
    /// Other HTTP schemes (Digest, HOBA): only their name is known.
    Http(String),
    /// Mutual TLS is settled before there is a request.
    Transport,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Header,
    Query,
    Cookie,
}

/// What carries an API key, apart from a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiKey {
    Header(String),
    Query(String),
}

impl Security {
    /// Refuses a request that carries the credentials of no alternative.
    pub(crate) fn check(&self, request: &Request<'_>) -> Result<(), Refusal> {
        let met = |alternative: &Vec<Scheme>| alternative.iter().all(|scheme| scheme.is_carried(request));
        if self.alternatives.is_empty() || self.alternatives.iter().any(met) {
            return Ok(());
        }
        let mut refusal = Refusal::new(401, "credentials are missing");
        for scheme in self.alternatives.iter().flatten() {
            let challenge = scheme.challenge();
            if let Some(challenge) = challenge.filter(|challenge| !refusal.challenges.contains(challenge)) {
                refusal.challenges.push(challenge);
            }
        }
        Err(refusal)
    }
}

impl Scheme {
    fn is_carried(&self, request: &Request<'_>) -> bool {
        let authorized = |scheme: &str| {
            let credentials =
                request.header("authorization").and_then(|value| value.trim_start().split_once(' '));
            credentials.is_some_and(|(own, rest)| own.eq_ignore_ascii_case(scheme) && !rest.trim().is_empty())
        };
        match self {
            Scheme::ApiKey { name, place: Place::Header } => {
                request.header(name).is_some_and(|value| !value.is_empty())
            }
            Scheme::ApiKey { name, place: Place::Query } => Pairs::query(request.query)
                .is_ok_and(|pairs| pairs.named(name).any(|value| !value.is_empty())),
            Scheme::ApiKey { name, place: Place::Cookie } => {
                Pairs::cookies(request.headers).named(name).any(|value| !value.is_empty())
            }
            Scheme::Basic { .. } => authorized("basic"),
            Scheme::Bearer => authorized("bearer"),
            Scheme::Http(name) => authorized(name),
            Scheme::Transport => true,
        }
    }

    fn challenge(&self) -> Option<String> {
        match self {
            Scheme::ApiKey { name, place } => {
                let place = match place {
                    Place::Header => "header",
                    Place::Query => "query",
                    Place::Cookie => "cookie",
                };
                Some(format!("ApiKey name={}, in=\"{place}\"", quoted(name)))
            }
            Scheme::Basic { realm } => Some(format!("Basic realm={}", quoted(realm))),
            Scheme::Bearer => Some("Bearer".to_owned()),
            Scheme::Http(name) => Some(name.clone()),
            Scheme::Transport => None,
        }
    }
}

/// A quoted string that any header can carry, whatever the document says.
fn quoted(text: &str) -> String {
    let plain = text.chars().filter(|letter| matches!(letter, ' '..='~') && !matches!(letter, '"' | '\\'));
    format!("\"{}\"", plain.collect::<String>())
}

impl<'v> Reader<'v> {
    /// The requirements at `node` (an operation or the document), or `None` when it states none.
    pub(crate) fn security(&mut self, node: &Node<'v>, title: &str) -> Option<Security> {
        let list = node.child("security")?;
        if !list.value.is_array() {
            self.fault(list.pointer, "security must be a list");
            return None;
        }
        let mut alternatives = Vec::new();
        for item in list.items() {
            if !self.spend() {
                break;
            }
            alternatives.push(
                item.members()
                    .filter_map(|(name, scheme)| self.scheme(name, &scheme.pointer, title))
                    .collect(),
            );
        }
        Some(Security { alternatives })
    }

    /// What carries the API keys of all schemes, whether an operation asks for them or not.
    pub(crate) fn api_keys(&mut self) -> Vec<ApiKey> {
        let schemes: Vec<Node<'v>> =
            self.schemes().iter().flat_map(Node::members).map(|(_, one)| one).collect();
        let schemes = schemes.into_iter().filter_map(|one| read_scheme(&self.seen_through(&one), ""));
        let keys = schemes.filter_map(|scheme| match scheme {
            Scheme::ApiKey { name, place: Place::Header } => Some(ApiKey::Header(name)),
            Scheme::ApiKey { name, place: Place::Query } => Some(ApiKey::Query(name)),
            _ => None,
        });
        keys.collect()
    }

    fn schemes(&self) -> Option<Node<'v>> {
        let root = Node::root(self.root);
        match self.version {
            Version::V2 => root.child("securityDefinitions"),
            _ => root.child("components").and_then(|components| components.child("securitySchemes")),
        }
    }

    fn scheme(&mut self, name: &str, pointer: &str, title: &str) -> Option<Scheme> {
        let Some(declared) = self.schemes().and_then(|schemes| schemes.child(name)) else {
            self.fault(pointer, format!("the security scheme {name:?} is not declared"));
            return None;
        };
        let declared = self.follow(declared)?;
        let scheme = read_scheme(&declared, title);
        if scheme.is_none() {
            self.fault(declared.pointer, "not a security scheme that can be checked");
        }
        scheme
    }
}

fn read_scheme(declared: &Node<'_>, title: &str) -> Option<Scheme> {
    let basic = || Scheme::Basic { realm: title.to_owned() };
    match declared.text("type")? {
        "basic" => Some(basic()),
        "oauth2" | "openIdConnect" => Some(Scheme::Bearer),
        "mutualTLS" => Some(Scheme::Transport),
        "http" => match declared.text("scheme")?.to_ascii_lowercase().as_str() {
            "basic" => Some(basic()),
            "bearer" => Some(Scheme::Bearer),
            other if other.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
                Some(Scheme::Http(declared.text("scheme")?.to_owned()))
            }
            _ => None,
        },
        "apiKey" => {
            let place = match declared.text("in")? {
                "header" => Place::Header,
                "query" => Place::Query,
                "cookie" => Place::Cookie,
                _ => return None,
            };
            Some(Scheme::ApiKey { name: declared.text("name")?.to_owned(), place })
        }
        _ => None,
    }
}
