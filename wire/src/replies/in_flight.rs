//! `InFlight`: the calls that wait for their answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{ActivationId, Answer};
use tokio::sync::oneshot;

/// The calls that wait for their answer, up to a bound. Cheap to clone.
#[derive(Clone, Debug)]
pub struct InFlight {
    waiting: Arc<Mutex<HashMap<ActivationId, oneshot::Sender<Answer>>>>,
    max: usize,
}

/// A call's place. Dropping it gives it up, so that timeouts and clients that leave leave nothing behind.
#[derive(Debug)]
pub struct Place {
    activation: ActivationId,
    in_flight: InFlight,
    answer: oneshot::Receiver<Answer>,
}

impl InFlight {
    /// Room for so many calls.
    pub fn new(max: usize) -> Self {
        Self { waiting: Arc::default(), max }
    }

    /// A place for this call; `None` when all are taken.
    pub fn enter(&self, activation: ActivationId) -> Option<Place> {
        let mut waiting = self.waiting();
        if waiting.len() >= self.max {
            return None;
        }
        let (sender, answer) = oneshot::channel();
        waiting.insert(activation, sender);
        Some(Place { activation, in_flight: self.clone(), answer })
    }

    /// Hands an answer to the call that waits for it. `false` when none does.
    pub fn settle(&self, answer: Answer) -> bool {
        let waiting = self.waiting().remove(&answer.activation);
        waiting.is_some_and(|call| call.send(answer).is_ok())
    }

    /// How many calls wait.
    pub fn len(&self) -> usize {
        self.waiting().len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// How many may wait.
    pub fn max(&self) -> usize {
        self.max
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<ActivationId, oneshot::Sender<Answer>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits for the answer. Cancel-safe.
    pub async fn answer(&mut self) -> Option<Answer> {
        // Only `settle` takes the sender out while we hold the place, and it sends.
        (&mut self.answer).await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.in_flight.waiting().remove(&self.activation);
    }
}

#[cfg(test)]
mod tests {
    use crate::{Component, Problem, ProblemKind, RequestId};

    use super::*;

    fn answer(activation: ActivationId) -> Answer {
        let id = RequestId::generate();
        Answer::problem(activation, 1, Problem::new(ProblemKind::NotFound, "", id, Component::Tron))
    }

    #[tokio::test]
    async fn an_answer_reaches_its_call_once() {
        let in_flight = InFlight::new(2);
        let activation = ActivationId::generate();
        let mut place = in_flight.enter(activation).unwrap();
        assert!(!in_flight.settle(answer(ActivationId::generate())));
        assert!(in_flight.settle(answer(activation)));
        assert!(!in_flight.settle(answer(activation)));
        assert_eq!(place.answer().await.unwrap().activation, activation);
    }

    #[test]
    fn a_dropped_place_is_free_again() {
        let in_flight = InFlight::new(1);
        let place = in_flight.enter(ActivationId::generate()).unwrap();
        assert!(in_flight.enter(ActivationId::generate()).is_none());
        drop(place);
        assert_eq!(in_flight.len(), 0);
        assert!(in_flight.enter(ActivationId::generate()).is_some());
    }
}
