//! What a person means by ROUTE, SHA or OPERATION.

use anyhow::{Result, bail};
use wire::admin::{BundleInfo, RouteInfo};

/// The route with this id, this beginning of an id, this base path, or this host and base path. The
/// slash that a base path begins with may be left out.
pub(crate) fn route<'r>(routes: &'r [RouteInfo], text: &str) -> Result<&'r RouteInfo> {
    let found: Vec<&RouteInfo> = routes.iter().filter(|route| is_meant(route, text)).collect();
    match found.as_slice() {
        [route] => Ok(route),
        [] => bail!("there is no route {text}; {}", choices(routes)),
        several => bail!(
            "{text} may be any of {}",
            several.iter().map(|route| name(route)).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// The bundle whose SHA-256 begins like this, when there is just one.
pub(crate) fn bundle<'b>(bundles: &'b [BundleInfo], text: &str) -> Option<&'b BundleInfo> {
    let mut found = bundles.iter().filter(|bundle| !text.is_empty() && bundle.sha.as_str().starts_with(text));
    found.next().filter(|_| found.next().is_none())
}

/// A route as people name it: its host, unless it is any, and its base path.
pub(crate) fn name(route: &RouteInfo) -> String {
    if route.host == "*" { route.base_path.clone() } else { format!("{}{}", route.host, route.base_path) }
}

fn is_meant(route: &RouteInfo, text: &str) -> bool {
    match text.split_once('/') {
        // Without a slash it may be an id, or a host that serves its root, too.
        None => {
            !text.is_empty()
                && (route.id.as_str().starts_with(text)
                    || serves(route, text, "")
                    || has_base_path(route, text))
        }
        Some(("", path)) => has_base_path(route, path),
        Some((host, path)) => serves(route, host, path.trim_end_matches('/')) || has_base_path(route, text),
    }
}

fn has_base_path(route: &RouteInfo, path: &str) -> bool {
    route.base_path.trim_matches('/') == path.trim_end_matches('/')
}

fn serves(route: &RouteInfo, host: &str, path: &str) -> bool {
    let base_path = route.base_path.trim_matches('/');
    route.host.eq_ignore_ascii_case(host) && base_path == path
}

fn choices(routes: &[RouteInfo]) -> String {
    /// Enough to see what is there.
    const SHOWN_MAX: usize = 10;
    if routes.is_empty() {
        return "nothing is deployed".to_owned();
    }
    let names: Vec<String> = routes.iter().take(SHOWN_MAX).map(name).collect();
    let more = if routes.len() > SHOWN_MAX { ", …" } else { "" };
    format!("the routes are {}{more}", names.join(", "))
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
}
