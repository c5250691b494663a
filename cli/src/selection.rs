//! What a person means by ROUTE, SHA or OPERATION.

use anyhow::{Result, bail};
use wire::admin::{BundleInfo, CaptureInfo, DeadQueue, DeadRoute, RouteInfo};

/// Enough to see what is there.
const SHOWN_MAX: usize = 10;

/// The route with this id, this beginning of an id, this base path, or this host and base path. The
/// slash that a base path begins with may be left out.
pub(crate) fn route<'r>(routes: &'r [RouteInfo], text: &str) -> Result<&'r RouteInfo> {
    let meant = |route: &&RouteInfo| Place::from(*route).is_meant(text);
    let found: Vec<&RouteInfo> = routes.iter().filter(meant).collect();
    match found.as_slice() {
        [route] => Ok(route),
        [] => bail!("there is no route {text}; {}", choices(routes)),
        several => bail!("{text} may be any of {}", names(several.iter().map(|route| name(route)))),
    }
}

/// The dead-letter queue with this name, or of the route that is meant by this text.
pub(crate) fn dead_queue<'q>(queues: &'q [DeadQueue], text: &str) -> Result<&'q DeadQueue> {
    let meant = |queue: &&DeadQueue| {
        queue.name == text || queue.route.as_ref().is_some_and(|route| Place::from(route).is_meant(text))
    };
    let found: Vec<&DeadQueue> = queues.iter().filter(meant).collect();
    let named = |queue: &DeadQueue| match &queue.route {
        Some(route) => place(&route.host, &route.base_path),
        None => queue.name.clone(),
    };
    match found.as_slice() {
        [queue] => Ok(queue),
        [] if queues.is_empty() => bail!("nothing was given up"),
        [] => bail!(
            "nothing was given up of {text}; there is something of {}",
            names(queues.iter().take(SHOWN_MAX).map(named))
        ),
        several => bail!("{text} may be any of {}", names(several.iter().map(|queue| named(queue)))),
    }
}

/// The capture whose id begins or ends like this: those of one minute begin alike.
pub(crate) fn capture<'c>(captures: &'c [CaptureInfo], text: &str) -> Result<&'c CaptureInfo> {
    let meant = |info: &&CaptureInfo| {
        let id = info.capture.id.as_str();
        !text.is_empty() && (id.starts_with(text) || id.ends_with(text))
    };
    let found: Vec<&CaptureInfo> = captures.iter().filter(meant).collect();
    match found.as_slice() {
        [info] => Ok(info),
        [] => bail!("there is no capture {text}; `funcatron capture list` lists them"),
        several => {
            bail!("{text} may be any of {}", names(several.iter().map(|info| info.capture.id.to_string())))
        }
    }
}

/// The bundle whose SHA-256 begins like this, when there is just one.
pub(crate) fn bundle<'b>(bundles: &'b [BundleInfo], text: &str) -> Option<&'b BundleInfo> {
    let mut found = bundles.iter().filter(|bundle| !text.is_empty() && bundle.sha.as_str().starts_with(text));
    found.next().filter(|_| found.next().is_none())
}

/// A route as people name it.
pub(crate) fn name(route: &RouteInfo) -> String {
    place(&route.host, &route.base_path)
}

/// A host, unless it is any, and a base path.
pub(crate) fn place(host: &str, base_path: &str) -> String {
    if host == "*" { base_path.to_owned() } else { format!("{host}{base_path}") }
}

/// What people tell routes apart by.
struct Place<'a> {
    id: &'a str,
    host: &'a str,
    base_path: &'a str,
}

impl<'a> From<&'a RouteInfo> for Place<'a> {
    fn from(route: &'a RouteInfo) -> Self {
        Self { id: route.id.as_str(), host: &route.host, base_path: &route.base_path }
    }
}

impl<'a> From<&'a DeadRoute> for Place<'a> {
    fn from(route: &'a DeadRoute) -> Self {
        Self { id: route.id.as_str(), host: &route.host, base_path: &route.base_path }
    }
}

impl Place<'_> {
    fn is_meant(&self, text: &str) -> bool {
        match text.split_once('/') {
            // Without a slash it may be an id, or a host that serves its root, too.
            None => {
                !text.is_empty()
                    && (self.id.starts_with(text) || self.serves(text, "") || self.has_base_path(text))
            }
            Some(("", path)) => self.has_base_path(path),
            Some((host, path)) => self.serves(host, path.trim_end_matches('/')) || self.has_base_path(text),
        }
    }

    fn has_base_path(&self, path: &str) -> bool {
        self.base_path.trim_matches('/') == path.trim_end_matches('/')
    }

    fn serves(&self, host: &str, path: &str) -> bool {
        self.host.eq_ignore_ascii_case(host) && self.base_path.trim_matches('/') == path
    }
}

fn choices(routes: &[RouteInfo]) -> String {
    if routes.is_empty() {
        return "nothing is deployed".to_owned();
    }
    let more = if routes.len() > SHOWN_MAX { ", …" } else { "" };
    format!("the routes are {}{more}", names(routes.iter().take(SHOWN_MAX).map(name)))
}

fn names(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use wire::{Namespace, RouteId};

    use super::*;

    fn routes() -> Vec<RouteInfo> {
        let route = |host: &str, base_path: &str| RouteInfo {
            id: RouteId::of(&Namespace::default(), host, base_path),
            host: host.into(),
            base_path: base_path.into(),
            title: String::new(),
            bundles: Vec::new(),
            outbound: Vec::new(),
            props: Vec::new(),
            queued: 0,
            alarm: None,
            trials: Vec::new(),
            operations: Vec::new(),
        };
        vec![route("*", "/"), route("*", "/pets"), route("a.example", "/pets"), route("*", "/pets/old")]
    }

    fn chosen(text: &str) -> Option<String> {
        route(&routes(), text).ok().map(|route| format!("{}{}", route.host, route.base_path))
    }

    #[test]
    fn a_route_is_chosen_by_id_or_its_beginning() {
        let id = RouteId::of(&Namespace::default(), "*", "/pets");
        assert_eq!(chosen(id.as_str()).as_deref(), Some("*/pets"));
        assert_eq!(chosen(&id.as_str()[..6]).as_deref(), Some("*/pets"));
        assert_eq!(chosen(""), None);
    }

    #[test]
    fn a_route_is_chosen_by_base_path_when_only_one_host_has_it() {
        assert_eq!(chosen("/pets/old/").as_deref(), Some("*/pets/old"));
        assert_eq!(chosen("/").as_deref(), Some("*/"));
        assert_eq!(chosen("pets/old").as_deref(), Some("*/pets/old"));
        let refused = route(&routes(), "/pets").unwrap_err().to_string();
        assert_eq!(refused, "/pets may be any of /pets, a.example/pets");
    }

    #[test]
    fn host_and_base_path_choose_exactly() {
        assert_eq!(chosen("A.example/pets").as_deref(), Some("a.example/pets"));
        assert_eq!(chosen("*/pets").as_deref(), Some("*/pets"));
    }

    #[test]
    fn a_miss_names_what_there_is() {
        let refused = route(&routes(), "/nope").unwrap_err().to_string();
        assert_eq!(refused, "there is no route /nope; the routes are /, /pets, a.example/pets, /pets/old");
        assert!(route(&[], "/").unwrap_err().to_string().ends_with("nothing is deployed"));
    }

    #[test]
    fn a_capture_is_chosen_by_either_end_of_its_id() {
        let id = "01a201fe4a3675c899956cdd7dbd1864";
        let info = |id: &str| {
            let capture = serde_json::json!({"id": id, "namespace": "default", "route": "0".repeat(16),
                "sample": 100, "from": 1, "until": 1, "bytes_max": 1, "delete_at": 1, "by": "x"});
            serde_json::from_value::<CaptureInfo>(serde_json::json!({"capture": capture, "state": "running",
                "host": "*", "base_path": "/", "entries": 0, "bytes": 0, "missed": 0}))
            .unwrap()
        };
        let captures = [info(id), info("01a201fe4a4275c899956cdd7dbd1865")];
        for text in [id, "01a201fe4a36", "1864"] {
            assert_eq!(capture(&captures, text).unwrap().capture.id.as_str(), id, "{text}");
        }
        assert!(capture(&captures, "01a201fe").unwrap_err().to_string().contains("may be any of"));
        for text in ["", "4a36"] {
            assert!(capture(&captures, text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_dead_letter_queue_is_chosen_by_its_name_or_its_route() {
        let of = |host: &str, base_path: &str| {
            let id = RouteId::of(&Namespace::default(), host, base_path);
            let (host, base_path, title) = (host.into(), base_path.into(), String::new());
            let route = DeadRoute { id: id.clone(), host, base_path, title, deployed: false };
            DeadQueue { name: id.to_string(), route: Some(route), count: 1, oldest: None }
        };
        let requests = DeadQueue { name: "requests".into(), route: None, count: 1, oldest: None };
        let queues = [requests, of("*", "/pets")];
        assert_eq!(dead_queue(&queues, "requests").unwrap().name, "requests");
        for text in ["/pets", "pets", &queues[1].name[..8]] {
            assert_eq!(dead_queue(&queues, text).unwrap(), &queues[1], "{text}");
        }
        let refused = dead_queue(&queues, "/x").unwrap_err().to_string();
        assert_eq!(refused, "nothing was given up of /x; there is something of requests, /pets");
        assert_eq!(dead_queue(&[], "/x").unwrap_err().to_string(), "nothing was given up");
    }
}
