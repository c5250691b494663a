//! The records of calls whose callers do not wait. They lie by kind, so that what is to be done about some
//! of them is found without looking at all.

use futures_util::TryStreamExt;
use object_store::PutMode;
use object_store::path::Path as Key;

use super::records::{FOLDER, RecordKind, activation};
use super::{Error, Store, is_older, unavailable};
use crate::calls::{Accepted, Callback, Finished, State};
use crate::{ActivationId, Timestamp};

impl Store {
    /// Makes a call known.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn accept_call(&self, accepted: &Accepted) -> Result<(), Error> {
        self.put_record(RecordKind::Accepted, accepted.activation, accepted, PutMode::Overwrite)
            .await
            .map(drop)
    }

    /// Makes a call unknown that was not handed over.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn forget_call(&self, activation: ActivationId) -> Result<(), Error> {
        let accepted = self.delete_call_record(RecordKind::Accepted, activation);
        // Without one of the two nobody begins it, whatever becomes of the other.
        let (accepted, pending) = tokio::join!(accepted, self.settle_pending(activation));
        accepted.and(pending)
    }

    /// A call that was accepted and has not expired.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn accepted_call(&self, activation: ActivationId) -> Result<Option<Accepted>, Error> {
        let accepted: Option<Accepted> = self.record(RecordKind::Accepted, activation).await?;
        Ok(accepted.filter(|accepted| accepted.expires_at > Timestamp::now()))
    }

    /// Keeps what a call came to: the first that is written stands, unless that is a failure and this is
    /// none. Says whether it stands now.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn finish_call(&self, finished: &Finished) -> Result<bool, Error> {
        let activation = finished.answer.activation;
        if self.put_record(RecordKind::Results, activation, finished, PutMode::Create).await? {
            return Ok(true);
        }
        let is_failure = |finished: &Finished| finished.state() == State::Failed;
        let standing = self.finished_call(activation).await?;
        if is_failure(finished) || !standing.as_ref().is_some_and(is_failure) {
            return Ok(false);
        }
        // Whoever was told of the failure is to be told of this, too.
        self.delete_call_record(RecordKind::Callbacks, activation).await?;
        self.put_record(RecordKind::Results, activation, finished, PutMode::Overwrite).await
    }

    /// What a call came to.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn finished_call(&self, activation: ActivationId) -> Result<Option<Finished>, Error> {
        self.record(RecordKind::Results, activation).await
    }

    /// Notes that a call is to be cancelled.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn cancel_call(&self, activation: ActivationId) -> Result<(), Error> {
        self.put_record(RecordKind::Cancels, activation, &Timestamp::now(), PutMode::Overwrite)
            .await
            .map(drop)
    }

    /// Whether a call is to be cancelled.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn is_cancelling_call(&self, activation: ActivationId) -> Result<bool, Error> {
        let noted: Option<Timestamp> = self.record(RecordKind::Cancels, activation).await?;
        Ok(noted.is_some())
    }

    /// Forgets that a call is to be cancelled: it has ended.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn settle_cancel(&self, activation: ActivationId) -> Result<(), Error> {
        self.delete_call_record(RecordKind::Cancels, activation).await
    }

    /// Calls that are to be cancelled, `max` at most.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn cancelling_calls(&self, max: usize) -> Result<Vec<ActivationId>, Error> {
        let mut listed = self.objects.list(Some(&RecordKind::Cancels.folder()));
        let mut calls = Vec::new();
        let failed = |source| unavailable("list cancelled calls".to_owned(), source);
        while calls.len() < max
            && let Some(object) = listed.try_next().await.map_err(failed)?
        {
            calls.extend(object.location.filename().and_then(activation));
        }
        Ok(calls)
    }

    /// Keeps how posting a result ended.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn note_callback(&self, activation: ActivationId, callback: &Callback) -> Result<(), Error> {
        self.put_record(RecordKind::Callbacks, activation, callback, PutMode::Overwrite).await.map(drop)
    }

    /// How posting a result ended.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn callback(&self, activation: ActivationId) -> Result<Option<Callback>, Error> {
        self.record(RecordKind::Callbacks, activation).await
    }

    /// Deletes the records that were written before `before`, and says how many. That a call was accepted
    /// is the oldest of its records: none is told of without the others.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn delete_calls(&self, before: Timestamp) -> Result<usize, Error> {
        let action = || "delete old calls".to_owned();
        let folder = Key::from(FOLDER);
        let mut listed = self.objects.list(Some(&folder));
        let mut deleted = 0;
        while let Some(object) = listed.try_next().await.map_err(|source| unavailable(action(), source))? {
            if is_older(&object, before) && self.remove(&object.location, action).await? {
                deleted += 1;
            }
        }
        Ok(deleted)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::tests::store;
    use crate::{Answer, Component, Namespace, Problem, ProblemKind, RequestId};

    fn accepted(expires_at: Timestamp) -> Accepted {
        let (activation, request_id) = (ActivationId::unguessable(), RequestId::generate());
        let (at, deadline) = (Timestamp(1), Timestamp(2));
        let (namespace, callback) = (Namespace::default(), None);
        Accepted { activation, request_id, namespace, at, deadline, expires_at, callback }
    }

    fn finished(activation: ActivationId, detail: &str) -> Finished {
        let problem = Problem::new(ProblemKind::Internal, detail, RequestId::generate(), Component::Runner);
        Finished { at: Timestamp(3), answer: Answer::problem(activation, 1, problem) }
    }

    #[tokio::test]
    async fn a_call_is_known_until_it_expires() {
        let (_directory, store) = store();
        let [late, known] = [Timestamp(2), Timestamp::now().after(Duration::from_secs(60))].map(accepted);
        for call in [&late, &known] {
            store.accept_call(call).await.unwrap();
        }
        assert_eq!(store.accepted_call(late.activation).await.unwrap(), None);
        assert_eq!(store.accepted_call(known.activation).await.unwrap().as_ref(), Some(&known));
        store.forget_call(known.activation).await.unwrap();
        assert_eq!(store.accepted_call(known.activation).await.unwrap(), None);
    }

    #[tokio::test]
    async fn of_several_results_the_first_stands() {
        let (_directory, store) = store();
        let activation = ActivationId::unguessable();
        let [first, second] = ["first", "second"].map(|detail| finished(activation, detail));
        assert_eq!(store.finished_call(activation).await.unwrap(), None);
        assert!(store.finish_call(&first).await.unwrap());
        assert!(!store.finish_call(&second).await.unwrap());
        assert_eq!(store.finished_call(activation).await.unwrap(), Some(first));
    }

    #[tokio::test]
    async fn a_call_that_failed_and_came_to_succeed_is_done() {
        let (_directory, store) = store();
        let activation = ActivationId::unguessable();
        let failed = finished(activation, "failed");
        let done = Finished { answer: Answer { status: 200, ..failed.answer.clone() }, ..failed.clone() };
        assert!(store.finish_call(&failed).await.unwrap());
        let callback = Callback { at: Timestamp(4), attempts: 1, error: None };
        store.note_callback(activation, &callback).await.unwrap();
        assert!(store.finish_call(&done).await.unwrap());
        assert_eq!(store.callback(activation).await.unwrap(), None);
        assert!(!store.finish_call(&failed).await.unwrap());
        assert_eq!(store.finished_call(activation).await.unwrap(), Some(done));
    }

    #[tokio::test]
    async fn what_is_to_be_cancelled_is_listed_until_it_is_settled() {
        let (_directory, store) = store();
        let calls = [(); 3].map(|()| ActivationId::unguessable());
        for call in calls {
            store.cancel_call(call).await.unwrap();
            store.cancel_call(call).await.unwrap();
        }
        assert_eq!(store.cancelling_calls(2).await.unwrap().len(), 2);
        let [settled, ..] = calls;
        store.settle_cancel(settled).await.unwrap();
        assert!(!store.is_cancelling_call(settled).await.unwrap());
        let listed = store.cancelling_calls(9).await.unwrap();
        assert!(listed.len() == 2 && !listed.contains(&settled), "{listed:?}");
    }

    #[tokio::test]
    async fn old_records_go_and_nothing_else_does() {
        let (_directory, store) = store();
        let call = accepted(Timestamp::now().after(Duration::from_secs(60)));
        store.accept_call(&call).await.unwrap();
        store.finish_call(&finished(call.activation, "")).await.unwrap();
        let sha = store.put_bundle("zip".into()).await.unwrap();
        assert_eq!(store.delete_calls(Timestamp::now().after(Duration::from_secs(60))).await.unwrap(), 2);
        assert_eq!(store.accepted_call(call.activation).await.unwrap(), None);
        assert!(store.bundle(&sha).await.unwrap().is_some());
        store.accept_call(&call).await.unwrap();
        assert_eq!(store.delete_calls(Timestamp(1)).await.unwrap(), 0);
    }
}
