//! `Log`: the deployment log, whose last readable entry is the desired state.

use std::sync::Arc;

use dispatch::Table;
use tokio::sync::{OnceCell, watch};
use tracing::error;
use wire::admin::{Deployment, DeploymentInfo};
use wire::{Route, Store, Timestamp, store};

use crate::Rejection;
use crate::desired::Change;

/// Others would have to win this often in a row before a change is given up.
const ATTEMPTS_MAX: usize = 16;

/// Deployments before the present one whose Funcs may have left queues behind: more than anybody makes
/// while every Tron is away, and little to read at the start.
const BEFORE_MAX: usize = 16;

/// The deployment log. Every change is a put-if-absent of the next entry: several Trons may write.
pub(crate) struct Log {
    store: Store,
    head: watch::Sender<Head>,
    loaded: OnceCell<()>,
}

/// What a change came to.
#[derive(Debug)]
pub(crate) struct Committed {
    /// The desired state.
    pub(crate) deployment: Arc<Deployment>,
    /// Whether it is an entry that the change made; otherwise there was nothing to change.
    pub(crate) is_new: bool,
}

/// How far the log was read.
#[derive(Clone, Debug)]
struct Head {
    /// The number of the last entry, readable or not.
    last: u64,
    /// The last readable entry.
    state: Arc<Deployment>,
    /// Those before it, newest first.
    before: Vec<Arc<Deployment>>,
}

impl Log {
    /// A log that was not read yet; the first use reads it.
    pub(crate) fn new(store: Store) -> Self {
        let nothing = Deployment {
            number: 0,
            at: Timestamp(0),
            by: String::new(),
            action: String::new(),
            routes: Vec::new(),
        };
        let (head, _) = watch::channel(Head { last: 0, state: Arc::new(nothing), before: Vec::new() });
        Self { store, head, loaded: OnceCell::new() }
    }

    /// The desired state.
    pub(crate) async fn current(&self) -> Result<Arc<Deployment>, store::Error> {
        self.loaded.get_or_try_init(|| self.load()).await?;
        Ok(Arc::clone(&self.head.borrow().state))
    }

    /// The desired state, and those before it, newest first.
    pub(crate) async fn recent(&self) -> Result<(Arc<Deployment>, Vec<Arc<Deployment>>), store::Error> {
        self.loaded.get_or_try_init(|| self.load()).await?;
        let head = self.head.borrow();
        Ok((Arc::clone(&head.state), head.before.clone()))
    }

    /// Resolves once the state is another than deployment `number`.
    pub(crate) async fn changed(&self, number: u64) {
        // The sender is our own: it does not close while we wait.
        let _ = self.head.subscribe().wait_for(|head| head.state.number != number).await;
    }

    /// Changes the state: decides, appends, and decides anew whenever somebody else was first. A change
    /// that leaves every route as it is writes nothing, unless it is asked for again.
    pub(crate) async fn commit(
        &self,
        by: &str,
        decide: impl Fn(&Deployment) -> Result<Change, Rejection>,
    ) -> Result<Committed, Rejection> {
        for _ in 0..ATTEMPTS_MAX {
            let state = self.current().await?;
            let Change { action, routes, again } = decide(&state)?;
            if !again && routes == state.routes && state.number > 0 {
                return Ok(Committed { deployment: state, is_new: false });
            }
            Table::build(&routes).map_err(|bad| Rejection::Conflict(bad.to_string()))?;
            let number = self.head.borrow().last + 1;
            let next = Deployment { number, at: Timestamp::now(), by: by.to_owned(), action, routes };
            match self.store.append_deployment(&next).await {
                Ok(()) => {
                    let deployment = self.advance(number, Some(next));
                    return Ok(Committed { deployment, is_new: true });
                }
                Err(store::Error::Taken(_)) => self.refresh().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Rejection::Contended)
    }

    /// Reads what others appended.
    pub(crate) async fn refresh(&self) -> Result<(), store::Error> {
        self.loaded.get_or_try_init(|| self.load()).await?;
        loop {
            let number = self.head.borrow().last + 1;
            match self.store.deployment(number).await {
                Ok(None) => return Ok(()),
                entry => _ = self.advance(number, readable(number, entry)?),
            }
        }
    }

    /// One entry.
    pub(crate) async fn entry(&self, number: u64) -> Result<Deployment, Rejection> {
        match self.store.deployment(number).await {
            Ok(Some(deployment)) => Ok(deployment),
            Ok(None) => Err(Rejection::NotFound(format!("there is no deployment {number}"))),
            Err(corrupt @ store::Error::Corrupt { .. }) => Err(Rejection::Conflict(corrupt.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// The newest entries, newest first; those that cannot be read are left out.
    pub(crate) async fn history(&self, limit: usize) -> Result<Vec<DeploymentInfo>, store::Error> {
        let numbers = self.store.deployment_numbers().await?;
        let mut history = Vec::new();
        for number in numbers.into_iter().rev().take(limit) {
            history.extend(
                readable(number, self.store.deployment(number).await)?.as_ref().map(DeploymentInfo::from),
            );
        }
        Ok(history)
    }

    /// The routes of the newest entries, those of newer ones first; one may be named by several.
    pub(crate) async fn routes_of_late(&self, limit: usize) -> Result<Vec<Route>, store::Error> {
        let numbers = self.store.deployment_numbers().await?;
        let mut routes = Vec::new();
        for number in numbers.into_iter().rev().take(limit) {
            let entry = readable(number, self.store.deployment(number).await)?;
            routes.extend(entry.into_iter().flat_map(|deployment| deployment.routes));
        }
        Ok(routes)
    }

    /// Starts from the last readable entry.
    async fn load(&self) -> Result<(), store::Error> {
        let mut numbers = self.store.deployment_numbers().await?;
        let last = numbers.last().copied().unwrap_or_default();
        let mut state = None;
        while state.is_none()
            && let Some(number) = numbers.pop()
        {
            state = readable(number, self.store.deployment(number).await)?;
        }
        let mut before = Vec::new();
        for number in numbers.into_iter().rev().take(BEFORE_MAX) {
            match self.store.deployment(number).await {
                Ok(deployment) => before.extend(deployment.map(Arc::new)),
                // The alarm was raised when it was the last.
                Err(store::Error::Corrupt { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.head.send_modify(|head| {
            head.last = last;
            head.before = before;
            if let Some(state) = state {
                head.state = Arc::new(state);
            }
        });
        Ok(())
    }

    /// Takes note of entry `last`, unless somebody already did, and gives the state that holds now.
    fn advance(&self, last: u64, deployment: Option<Deployment>) -> Arc<Deployment> {
        let state = deployment.map(Arc::new);
        self.head.send_if_modified(|head| {
            if last <= head.last {
                return false;
            }
            head.last = last;
            if let Some(state) = &state {
                let replaced = std::mem::replace(&mut head.state, Arc::clone(state));
                head.before.insert(0, replaced);
                head.before.truncate(BEFORE_MAX);
            }
            true
        });
        state.unwrap_or_else(|| Arc::clone(&self.head.borrow().state))
    }
}

/// The entry, if it can be applied. One that cannot raises the alarm and is passed over: the state
/// before it holds on.
fn readable(
    number: u64,
    entry: Result<Option<Deployment>, store::Error>,
) -> Result<Option<Deployment>, store::Error> {
    match entry {
        Ok(Some(deployment)) => match Table::build(&deployment.routes) {
            Ok(_) => Ok(Some(deployment)),
            Err(bad) => {
                error!(number, error = %bad, "deployment refused, the state before it holds on");
                Ok(None)
            }
        },
        Err(store::Error::Corrupt { number, source }) => {
            error!(number, error = %source, "deployment cannot be read, the state before it holds on");
            Ok(None)
        }
        other => other,
    }
}
