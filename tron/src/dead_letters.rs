//! `DeadLetters`: what was given up, as an operator looks at it and settles it.

mod letter;
mod look;

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use tokio::sync::Mutex;
use tracing::info;
use wire::admin::{DeadLetter, DeadQueue, DeadRoute, Purged, RedriveRequest, Redriven};
use wire::broker::{self, DEAD_REQUESTS, DEAD_RESULTS, GivenUp, Message, REQUESTS, dead_letters};
use wire::{Broker, Invoke, Route, RouteId, Store, Timestamp, encode_line};

use crate::Rejection;
use crate::bundles::Bundles;
use crate::log::Log;
use dispatch::Table;
use look::Look;

/// The queues of no route, with what they are asked for by.
const ROUTELESS: [(&str, &str); 2] = [("requests", DEAD_REQUESTS), ("results", DEAD_RESULTS)];

/// Messages that are held at once: with bodies of the greatest length, as much as Tron may use for a look.
const LOOK_MAX: usize = 500;

/// Entries of the deployment log whose routes may have left dead letters that somebody still wants.
const DEPLOYMENTS_MAX: usize = 20;

/// Queues that the broker is asked about at once.
const ASKED_AT_ONCE: usize = 32;

/// What was given up. One look at a time: what one holds, the next would not see.
pub(crate) struct DeadLetters {
    broker: Arc<dyn Broker>,
    log: Arc<Log>,
    store: Store,
    looking: Mutex<()>,
}

impl DeadLetters {
    pub(crate) fn new(broker: Arc<dyn Broker>, log: Arc<Log>, store: Store) -> Self {
        Self { broker, log, store, looking: Mutex::new(()) }
    }

    /// Every queue that has something in it, also of routes that were deployed lately and are gone.
    pub(crate) async fn queues(&self, bundles: &Bundles) -> Result<Vec<DeadQueue>, Rejection> {
        let _looking = self.looking.lock().await;
        let deployed = self.log.current().await?;
        let is_deployed = |id: &RouteId| deployed.routes.iter().any(|route| route.id == *id);
        let mut routes = deployed.routes.clone();
        routes.extend(self.log.routes_of_late(DEPLOYMENTS_MAX).await?);
        let mut seen = HashSet::new();
        routes.retain(|route| seen.insert(route.id.clone()));
        let named = routes.into_iter().map(|route| (route.id.to_string(), Some(route)));
        let all = ROUTELESS.iter().map(|(name, _)| ((*name).to_owned(), None)).chain(named);
        let asked: Vec<_> = all.map(|(name, route)| self.counted(name, route)).collect();
        // All of them first: to look into one while another is being asked about would hold that one up,
        // and with it what it holds at the broker's client, on which the look waits.
        let counted: Vec<_> = stream::iter(asked).buffered(ASKED_AT_ONCE).collect().await;
        let mut queues = Vec::new();
        for (count, name, route) in counted {
            let count = count?;
            if count == 0 {
                continue;
            }
            let oldest = self.oldest(&name).await?;
            let route = match route {
                Some(route) => Some(describe(&route, is_deployed(&route.id), bundles).await),
                None => None,
            };
            queues.push(DeadQueue { name, route, count: number(count), oldest });
        }
        Ok(queues)
    }

    /// The oldest messages of a queue, which stay as they are.
    pub(crate) async fn letters(&self, name: &str, limit: usize) -> Result<Vec<DeadLetter>, Rejection> {
        let _looking = self.looking.lock().await;
        let mut look = self.look(name, limit.min(LOOK_MAX)).await?;
        let mut letters = Vec::new();
        while let Some(delivery) = look.next().await {
            letters.push(letter::describe(&delivery.message));
            look.keep(delivery);
        }
        Ok(letters)
    }

    /// Puts calls into the firehose again, the oldest first, [`LOOK_MAX`] at most. What would be refused
    /// there stays.
    pub(crate) async fn redrive(&self, name: &str, request: &RedriveRequest) -> Result<Redriven, Rejection> {
        let _looking = self.looking.lock().await;
        let routes = &self.log.current().await?.routes;
        let table = Table::build(routes).map_err(|bad| Rejection::Conflict(bad.to_string()))?;
        let mut look = self.look(name, LOOK_MAX).await?;
        let mut redriven = Redriven { left: number(look.ready), ..Redriven::default() };
        while let Some(delivery) = look.next().await {
            if !letter::is_meant(&delivery.message, request.id.as_deref()) {
                look.keep(delivery);
                continue;
            }
            let Some(again) = letter::again(&delivery.message, request.to.as_ref(), &table, Timestamp::now())
            else {
                redriven.kept += 1;
                look.keep(delivery);
                continue;
            };
            if let Err(rejection) = self.begin_again(&again).await {
                // It stays; and so does what follows, which would fare no better.
                look.keep(delivery);
                if redriven.redriven == 0 {
                    return Err(rejection);
                }
                break;
            }
            delivery.ack();
            redriven.redriven += 1;
            redriven.left -= 1;
        }
        info!(queue = name, redriven = redriven.redriven, kept = redriven.kept, "dead letters redriven");
        found(request.id.as_deref(), redriven.redriven + redriven.kept)?;
        Ok(redriven)
    }

    /// Puts a call into the firehose. One that was promised is kept until it has ended, as it was at first.
    async fn begin_again(&self, invoke: &Invoke) -> Result<(), Rejection> {
        let is_promised = invoke.reply_to.is_some();
        let line = encode_line(invoke).map_err(|error| Rejection::Malformed(error.to_string()))?;
        if is_promised {
            self.store.keep_pending(invoke).await?;
        }
        let published = self.broker.publish(REQUESTS, Message::new(line).persistent()).await;
        if is_promised && !matches!(published, Ok(()) | Err(broker::Error::Unknown(_))) {
            self.store.settle_pending(invoke.activation).await?;
        }
        Ok(published?)
    }

    /// Throws messages away: those that are there now, or the one of this id.
    pub(crate) async fn purge(&self, name: &str, id: Option<&str>) -> Result<Purged, Rejection> {
        let _looking = self.looking.lock().await;
        let max = if id.is_some() { LOOK_MAX } else { usize::MAX };
        let mut look = self.look(name, max).await?;
        let mut purged = Purged::default();
        while let Some(delivery) = look.next().await {
            if letter::is_meant(&delivery.message, id) {
                delivery.ack();
                purged.purged += 1;
            } else {
                look.keep(delivery);
            }
        }
        info!(queue = name, purged = purged.purged, "dead letters purged");
        found(id, purged.purged)?;
        Ok(purged)
    }

    async fn counted(
        &self,
        name: String,
        route: Option<Route>,
    ) -> (Result<usize, Rejection>, String, Option<Route>) {
        (self.count(&name).await, name, route)
    }

    async fn count(&self, name: &str) -> Result<usize, Rejection> {
        match self.broker.depth(&queue(name)?).await {
            Ok(depth) => Ok(depth.ready),
            Err(broker::Error::Unroutable(_)) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    async fn oldest(&self, name: &str) -> Result<Option<Timestamp>, Rejection> {
        let mut look = self.look(name, 1).await?;
        let Some(delivery) = look.next().await else { return Ok(None) };
        let at = delivery.message.dead_reason.as_deref().and_then(|reason| GivenUp::read(reason).at);
        look.keep(delivery);
        Ok(at)
    }

    async fn look(&self, name: &str, max: usize) -> Result<Look, Rejection> {
        match Look::at(&*self.broker, &queue(name)?, max, LOOK_MAX).await {
            Ok(look) => Ok(look),
            Err(broker::Error::Unroutable(_)) => {
                Err(Rejection::NotFound(format!("there are no dead letters of {name}")))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The queue that is asked for by this name.
fn queue(name: &str) -> Result<String, Rejection> {
    if let Some((_, queue)) = ROUTELESS.iter().find(|(known, _)| *known == name) {
        return Ok((*queue).to_owned());
    }
    let route = RouteId::parse(name).map_err(|error| Rejection::Malformed(error.to_string()))?;
    Ok(dead_letters(&route))
}

async fn describe(route: &Route, deployed: bool, bundles: &Bundles) -> DeadRoute {
    let title = match route.bundles.first() {
        Some(bundle) => bundles.info(&bundle.sha).await.ok().map(|info| info.title.clone()),
        None => None,
    };
    DeadRoute {
        id: route.id.clone(),
        host: route.host.clone(),
        base_path: route.base_path.clone(),
        title: title.unwrap_or_default(),
        deployed,
    }
}

/// Somebody who asks for one message wants to know when it is not there.
fn found(id: Option<&str>, count: u64) -> Result<(), Rejection> {
    match id {
        Some(id) if count == 0 => {
            Err(Rejection::NotFound(format!("there is no dead letter {id} among the oldest {LOOK_MAX}")))
        }
        _ => Ok(()),
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
