//! Promised calls that have not ended, whole: what was lost on its way can be begun again from here.

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use object_store::PutMode;
use object_store::path::Path as Key;

use super::records::{FOLDER, RecordKind, activation};
use super::{Error, Store, is_older, unavailable};
use crate::calls::Claim;
use crate::{ActivationId, Invoke, Timestamp};

const CLAIMS: &str = "claims";

impl Store {
    /// Keeps a promised call until it has ended.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn keep_pending(&self, invoke: &Invoke) -> Result<(), Error> {
        self.put_record(RecordKind::Pending, invoke.activation, invoke, PutMode::Overwrite).await.map(drop)
    }

    /// A promised call that has not ended, as it was promised.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn pending_call(&self, activation: ActivationId) -> Result<Option<Invoke>, Error> {
        self.record(RecordKind::Pending, activation).await
    }

    /// Forgets a promised call: it has ended.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn settle_pending(&self, activation: ActivationId) -> Result<(), Error> {
        self.delete_call_record(RecordKind::Pending, activation).await
    }

    /// Promised calls that were kept before `before` and have not ended: the first `max` of those behind
    /// `behind` in their order.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn pending_calls(
        &self,
        before: Timestamp,
        behind: Option<ActivationId>,
        max: usize,
    ) -> Result<Vec<ActivationId>, Error> {
        let mut listed = self.objects.list(Some(&RecordKind::Pending.folder()));
        let mut calls = BTreeSet::new();
        let failed = |source| unavailable("list pending calls".to_owned(), source);
        // Not every store lists in an order.
        while let Some(object) = listed.try_next().await.map_err(failed)? {
            let call = object.location.filename().and_then(activation);
            calls.extend(call.filter(|call| is_older(&object, before) && behind.is_none_or(|it| *call > it)));
            if calls.len() > max {
                calls.pop_last();
            }
        }
        Ok(calls.into_iter().collect())
    }

    /// Claims a call; says whether nobody was faster.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn claim_call(&self, activation: ActivationId, claim: &Claim) -> Result<bool, Error> {
        let key = claim_key(activation, claim.number);
        self.put_json(&key, claim, PutMode::Create, || "claim a call".to_owned()).await
    }

    /// The last claim of a call.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn last_claim(&self, activation: ActivationId) -> Result<Option<Claim>, Error> {
        let mut last = None;
        for number in 1.. {
            let found =
                self.get(&claim_key(activation, number), || "read a claim of a call".to_owned()).await?;
            let Some(json) = found else { break };
            let bad = |source| Error::BadRecord { kind: CLAIMS, source };
            last = Some(serde_json::from_slice(&json).map_err(bad)?);
        }
        Ok(last)
    }

    /// Takes a claim back: nothing came of it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn release_claim(&self, activation: ActivationId, number: u32) -> Result<(), Error> {
        self.remove(&claim_key(activation, number), || "release a claim of a call".to_owned()).await.map(drop)
    }
}

fn claim_key(activation: ActivationId, number: u32) -> Key {
    Key::from_iter([FOLDER, CLAIMS, &format!("{activation}.{number}.json")])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::tests::store;
    use crate::{Body, MemberId, Namespace, RequestId, Role, Version};

    fn call() -> Invoke {
        Invoke {
            v: Version,
            id: RequestId::generate(),
            activation: ActivationId::unguessable(),
            namespace: Namespace::default(),
            at: Timestamp(1),
            deadline: Timestamp(2),
            attempt: 1,
            retry: 0,
            reply_to: Some("results".into()),
            asynchronous: true,
            queue: None,
            bundle: None,
            replay: None,
            method: "POST".into(),
            scheme: "http".into(),
            host: "h".into(),
            path: "/a".into(),
            query: String::new(),
            headers: vec![("a".into(), "b".into())],
            client: None,
            traceparent: None,
            sent_us: None,
            body: Body::from("body".to_owned().into_bytes()),
        }
    }

    #[tokio::test]
    async fn a_call_is_kept_whole_until_it_has_ended() {
        let (_directory, store) = store();
        let call = call();
        store.keep_pending(&call).await.unwrap();
        assert_eq!(store.pending_call(call.activation).await.unwrap().as_ref(), Some(&call));
        store.settle_pending(call.activation).await.unwrap();
        store.settle_pending(call.activation).await.unwrap();
        assert_eq!(store.pending_call(call.activation).await.unwrap(), None);
    }

    #[tokio::test]
    async fn every_call_is_listed_though_only_some_are_at_a_time() {
        let (_directory, store) = store();
        let mut calls = [(); 5].map(|()| call());
        for call in &calls {
            store.keep_pending(call).await.unwrap();
        }
        calls.sort_by_key(|call| call.activation);
        let minute = Duration::from_secs(60);
        let (mut listed, mut behind) = (Vec::new(), None);
        for expected in [2, 2, 1, 0] {
            let some = store.pending_calls(Timestamp::now().after(minute), behind, 2).await.unwrap();
            assert_eq!(some.len(), expected);
            behind = some.last().copied().or(behind);
            listed.extend(some);
        }
        assert_eq!(listed, calls.map(|call| call.activation));
        assert_eq!(store.pending_calls(Timestamp::now().before(minute), None, 9).await.unwrap(), []);
    }

    #[tokio::test]
    async fn of_several_who_claim_a_call_one_has_it() {
        let (_directory, store) = store();
        let call = ActivationId::unguessable();
        let claim = |number, at| Claim { number, at: Timestamp(at), by: MemberId::generate(Role::Tron) };
        assert_eq!(store.last_claim(call).await.unwrap(), None);
        let [first, late, second] = [claim(1, 10), claim(1, 11), claim(2, 20)];
        assert!(store.claim_call(call, &first).await.unwrap());
        assert!(!store.claim_call(call, &late).await.unwrap());
        assert!(store.claim_call(call, &second).await.unwrap());
        assert_eq!(store.last_claim(call).await.unwrap(), Some(second));
        store.release_claim(call, 2).await.unwrap();
        assert_eq!(store.last_claim(call).await.unwrap(), Some(first));
        assert_eq!(store.last_claim(ActivationId::unguessable()).await.unwrap(), None);
        assert_eq!(store.delete_calls(Timestamp::now().after(Duration::from_secs(60))).await.unwrap(), 1);
    }
}
