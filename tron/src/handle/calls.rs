//! Calls that an operator makes through us.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use dispatch::{Call, Miss, Table};
use futures_util::TryStreamExt;
use wire::admin::{CallRequest, Called};
use wire::{
    ActivationId, Answer, Body, Invoke, ProblemKind, RequestId, Route, RouteId, Store, StoredBody, Timestamp,
    Version, store,
};

use super::Handle;
use crate::Rejection;
use crate::own_calls::{NoAnswer, Place};

/// How long a call may take: as long as runners give to one.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A longer body of an answer stays in the store, as it does when a capture is exported.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// What the Func sees as its host where any is the route's.
const ANY_HOST: &str = "localhost";

impl Handle {
    /// Room for a call. It is kept until what the call came to is no longer needed.
    ///
    /// # Errors
    /// When too many calls of operators are under way.
    pub fn place(&self) -> Result<Place, Rejection> {
        Ok(self.shared.own_calls.place()?)
    }

    /// Makes a call of a route, or of one of its bundles.
    ///
    /// # Errors
    /// When there is no such route or bundle, nobody can run it, or nobody answers.
    pub async fn call(
        &self,
        place: &mut Place,
        id: &RouteId,
        request: CallRequest,
    ) -> Result<Called, Rejection> {
        let state = self.shared.log.current().await?;
        let route = state.routes.iter().find(|route| route.id == *id);
        let route = route.ok_or_else(|| Rejection::NotFound(format!("there is no route {id}")))?;
        let mut invoke = invoke(route, request);
        let queue = queue(route, &invoke)?;
        if let Some(why) = self.shared.status.borrow().unserved.get(&queue) {
            return Err(Rejection::Unserved(why.clone()));
        }
        let store = &self.shared.store;
        if let Body::Inline(bytes) = &invoke.body
            && bytes.len() > Body::INLINE_BYTES_MAX
        {
            invoke.body = Body::Stored(keep(store, bytes).await?);
        }
        let activation = invoke.activation;
        let mut answer = self.shared.own_calls.call(&queue, invoke).await?;
        fetch_body(store, place, &mut answer).await?;
        Ok(Called { activation, answer })
    }
}

/// The queue of the bundle that the call is for.
fn queue(route: &Route, invoke: &Invoke) -> Result<String, Rejection> {
    // Whether it is the route's does not hang on what the Func is to see as its host.
    let host = if route.host == "*" { ANY_HOST } else { &route.host };
    let table = Table::build(std::slice::from_ref(route))
        .map_err(|bad| Rejection::Conflict(format!("route {} cannot be called: {bad}", route.id)))?;
    match table.queue(&Call { host, ..Call::from(invoke) }) {
        Ok(queue) => Ok(queue.to_string()),
        Err(Miss::NoRoute) => {
            Err(Rejection::Malformed(format!("path: {} is not below {}", invoke.path, route.base_path)))
        }
        Err(miss @ Miss::NoBundle) => Err(Rejection::NotFound(miss.to_string())),
    }
}

fn invoke(route: &Route, request: CallRequest) -> Invoke {
    let CallRequest {
        method, path, query, headers, body, bundle, replay, id, at, scheme, host, client, ..
    } = request;
    let now = Timestamp::now();
    let own_host = || if route.host == "*" { ANY_HOST.to_owned() } else { route.host.clone() };
    Invoke {
        v: Version,
        id: id.unwrap_or_else(RequestId::generate),
        activation: ActivationId::generate(),
        namespace: route.namespace.clone(),
        // Whoever is no replay has just been accepted.
        at: at.filter(|_| replay.is_some()).unwrap_or(now),
        deadline: now.after(TIMEOUT),
        attempt: 1,
        retry: 0,
        reply_to: None,
        asynchronous: false,
        queue: None,
        bundle,
        replay,
        method: method.to_ascii_uppercase(),
        scheme: scheme.unwrap_or_else(|| "http".to_owned()),
        host: host.unwrap_or_else(own_host),
        path,
        query,
        headers: headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(),
        client,
        traceparent: None,
        sent_us: None,
        body,
    }
}

async fn keep(store: &Store, bytes: &[u8]) -> Result<StoredBody, store::Error> {
    let mut upload = store.upload();
    upload.push(bytes).await?;
    upload.finish().await
}

/// Puts a body that lies in the store into the answer, unless it is very long.
async fn fetch_body(store: &Store, place: &mut Place, answer: &mut Answer) -> Result<(), store::Error> {
    if let Body::Stored(stored) = &answer.body
        && stored.len <= ANSWER_BYTES_MAX
    {
        place.lengthen().await;
        answer.body = Body::Inline(whole(store, stored).await?);
    }
    Ok(())
}

async fn whole(store: &Store, stored: &StoredBody) -> Result<Bytes, store::Error> {
    let mut whole = BytesMut::new();
    let mut pieces = store.body(stored).await?;
    while let Some(piece) = pieces.try_next().await? {
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

impl From<NoAnswer> for Rejection {
    fn from(no_answer: NoAnswer) -> Self {
        let kind = match &no_answer {
            NoAnswer::Busy => ProblemKind::Overloaded,
            NoAnswer::Late => ProblemKind::DeadlineExceeded,
            NoAnswer::Broker(wire::broker::Error::Unknown(_)) => ProblemKind::OutcomeUnknown,
            NoAnswer::Broker(_) => ProblemKind::Overloaded,
            NoAnswer::Encode(_) => ProblemKind::Internal,
        };
        Self::NoAnswer { kind, why: no_answer.to_string() }
    }
}
