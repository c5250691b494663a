//! `Cohort`: parcels that were handed to the connection together, until the broker has confirmed each.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lapin::options::BasicPublishOptions;
use lapin::{Channel, Confirmation, PublisherConfirm};
use tokio::time::Instant;

use super::batch::Parcel;
use super::envelope;
use super::line::refusal_code;
use crate::broker::Error;

/// Parcels on their way.
pub(super) struct Cohort {
    flights: Vec<Flight>,
    /// All before this have landed.
    landed: usize,
    pub(super) sent_at: Instant,
}

/// One parcel on its way.
struct Flight {
    parcel: Parcel,
    id: u64,
    state: State,
}

enum State {
    /// The connection has it, but may not have written it.
    Sending(BoxFuture<'static, lapin::Result<PublisherConfirm>>),
    /// The broker has it, or will.
    Sent(PublisherConfirm),
    Landed(Landed),
}

/// What became of a parcel.
enum Landed {
    /// The broker has it, unless it was returned.
    Acked,
    Nacked,
    /// It never left.
    Kept,
    /// The channel or connection broke first.
    Broken(lapin::Error),
}

impl Cohort {
    /// Hands the parcels to the connection, in this order. They are numbered from `id`.
    pub(super) fn send(channel: &Arc<Channel>, parcels: Vec<Parcel>, id: u64) -> Self {
        let numbered = (id..).zip(parcels);
        let flights = numbered.map(|(id, parcel)| Flight::start(channel.clone(), parcel, id)).collect();
        Self { flights, landed: 0, sent_at: Instant::now() }
    }

    /// Waits until every parcel has landed; notes which were returned.
    pub(super) fn poll_landed(&mut self, context: &mut Context<'_>, returned: &mut HashSet<u64>) -> Poll<()> {
        while let Some(flight) = self.flights.get_mut(self.landed) {
            ready!(flight.poll(context, returned));
            self.landed += 1;
        }
        Poll::Ready(())
    }

    /// Looks at every parcel that is still on its way, without waiting.
    pub(super) fn look(&mut self, returned: &mut HashSet<u64>) {
        let mut context = Context::from_waker(Waker::noop());
        for flight in &mut self.flights[self.landed..] {
            let _pending = flight.poll(&mut context, returned);
        }
    }

    /// Tells everybody what became of their message. `alone` says that nothing else was on its way, so that
    /// what closed the channel was this.
    pub(super) fn settle(self, returned: &HashSet<u64>, alone: bool) {
        let alone = alone && self.flights.len() == 1;
        for mut flight in self.flights {
            let outcome = flight.outcome(returned, alone);
            flight.parcel.tell(&outcome);
        }
    }

    /// Tells everybody that nobody knows. The parcels stay on their way, and their time begins anew.
    pub(super) fn disown(&mut self) {
        self.sent_at = Instant::now();
        for Flight { parcel, .. } in &mut self.flights {
            parcel.tell(&Err(Error::Unknown(parcel.key.clone())));
        }
    }

    /// Whether the channel broke under it.
    pub(super) fn is_broken(&self) -> bool {
        let broken =
            |flight: &Flight| matches!(flight.state, State::Landed(Landed::Broken(_) | Landed::Kept));
        self.flights.iter().any(broken)
    }
}

impl Flight {
    fn start(channel: Arc<Channel>, parcel: Parcel, id: u64) -> Self {
        let properties = envelope::properties(&parcel.message, id);
        let (exchange, key) = (parcel.exchange.into(), parcel.key.as_str().into());
        let options = BasicPublishOptions { mandatory: parcel.mandatory, immediate: false };
        let payload = parcel.message.payload.clone();
        let mut sending =
            async move { channel.basic_publish(exchange, key, options, &payload, properties).await }.boxed();
        // The first poll hands it over; the next one is by whoever waits for it.
        let state = match Pin::new(&mut sending).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => State::Sending(sending),
            Poll::Ready(Ok(confirm)) => State::Sent(confirm),
            Poll::Ready(Err(_closed)) => State::Landed(Landed::Kept),
        };
        Self { parcel, id, state }
    }

    fn poll(&mut self, context: &mut Context<'_>, returned: &mut HashSet<u64>) -> Poll<()> {
        loop {
            self.state = match &mut self.state {
                State::Sending(sending) => match ready!(sending.as_mut().poll(context)) {
                    Ok(confirm) => State::Sent(confirm),
                    Err(error) => State::Landed(Landed::Broken(error)),
                },
                State::Sent(confirm) => State::Landed(match ready!(Pin::new(confirm).poll(context)) {
                    Ok(confirmation) => landed(confirmation, returned),
                    Err(error) => Landed::Broken(error),
                }),
                State::Landed(_) => return Poll::Ready(()),
            };
        }
    }

    fn outcome(&self, returned: &HashSet<u64>, alone: bool) -> Result<(), Error> {
        let key = || self.parcel.key.clone();
        match &self.state {
            State::Landed(Landed::Acked) if !returned.contains(&self.id) => Ok(()),
            State::Landed(Landed::Acked) => Err(Error::Unroutable(key())),
            State::Landed(Landed::Nacked) => Err(Error::Full(key())),
            State::Landed(Landed::Kept) => Err(Error::Unavailable),
            State::Landed(Landed::Broken(error)) if alone && refusal_code(error) == Some(404) => {
                Err(Error::Unroutable(key()))
            }
            State::Landed(Landed::Broken(error)) if alone && refusal_code(error) == Some(403) => {
                Err(Error::Unavailable)
            }
            _ => Err(Error::Unknown(key())),
        }
    }
}

/// Notes what came back. The client gives a returned message to whichever confirmation comes next, which
/// may be another parcel's: its number tells whose it is.
fn landed(confirmation: Confirmation, returned: &mut HashSet<u64>) -> Landed {
    let nacked = confirmation.is_nack();
    if let Some(message) = confirmation.take_message() {
        returned.extend(envelope::id(&message.properties));
    }
    if nacked { Landed::Nacked } else { Landed::Acked }
}
