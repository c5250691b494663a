//! Deploying: a change of the desired state, and the wait until it is in force.

use wire::admin::{DeployRequest, Deployed, Deployment, DeploymentInfo, RollbackRequest};
use wire::{FuncAssignment, RouteId};

use super::{Handle, Shared};
use crate::Rejection;
use crate::desired::{self, Change, Claim};
use crate::log::Committed;
use crate::status::Readiness;
use crate::{plan, trials};

impl Handle {
    /// Makes a bundle serve a route, and waits a while for a runner to load it and for everybody to
    /// dispatch by it. Runners that could not load it before are asked to try again. What is on trial and cannot be
    /// run is off the route when this returns.
    ///
    /// # Errors
    /// When there is no such bundle, the settings are faulty, or the route is another API's.
    pub async fn deploy(&self, request: &DeployRequest, by: &str) -> Result<Deployed, Rejection> {
        let before = self.shared.log.current().await?.number;
        let (Committed { mut deployment, mut is_new }, route) = self.change_route(request, by, false).await?;
        let func = plan::func_of(&deployment.routes, &route, &request.sha);
        let mut readiness = self.wait_for_runner(deployment.number, func.as_ref()).await;
        if deployment.number <= before && matches!(readiness, Readiness::Failed(_)) {
            // That was said about an earlier attempt, and what was in its way may be gone.
            (Committed { deployment, is_new }, _) = self.change_route(request, by, true).await?;
            readiness = self.wait_for_runner(deployment.number, func.as_ref()).await;
        }
        let given_up =
            trials::give_up(&self.shared.log, &deployment, &route, &request.sha, &readiness).await?;
        let ready = readiness == Readiness::Ready;
        let (failure, alarm) = match readiness {
            Readiness::Unserved(why) if given_up.is_none() => (None, Some(why)),
            Readiness::Failed(reason) | Readiness::Unserved(reason) => (Some(reason), None),
            Readiness::Ready | Readiness::Pending => (None, None),
        };
        self.wait_until_applied(given_up.as_ref().unwrap_or(&deployment)).await;
        let deployment = DeploymentInfo::from(&*deployment);
        Ok(Deployed { deployment, route, ready, unchanged: !is_new, failure, alarm })
    }

    async fn change_route(
        &self,
        request: &DeployRequest,
        by: &str,
        again: bool,
    ) -> Result<(Committed, RouteId), Rejection> {
        let Shared { log, bundles, changes, .. } = &*self.shared;
        let _changing = changes.lock().await;
        let info = bundles.info(&request.sha).await?;
        let route = Claim::of(request, &info)?.id;
        let state = log.current().await?;
        let before = state.routes.iter().filter(|other| other.id == route);
        let titles = bundles.titles(before.flat_map(|route| &route.bundles).map(|bundle| &bundle.sha)).await;
        let decide = |state: &Deployment| {
            desired::deploy(state, request, &info, &titles).map(|change| Change { again, ..change })
        };
        Ok((log.commit(by, decide).await?, route))
    }

    /// Takes a route away. Calls that it has already are answered.
    ///
    /// # Errors
    /// When there is no such route.
    pub async fn undeploy(&self, id: &RouteId, by: &str) -> Result<DeploymentInfo, Rejection> {
        let changing = self.shared.changes.lock().await;
        let decide = |state: &Deployment| desired::undeploy(state, id);
        let Committed { deployment, .. } = self.shared.log.commit(by, decide).await?;
        drop(changing);
        self.wait_until_applied(&deployment).await;
        Ok(DeploymentInfo::from(&*deployment))
    }

    /// Brings back the routes of an earlier deployment, as a new one.
    ///
    /// # Errors
    /// When there is no such deployment, or a bundle of its is gone.
    pub async fn rollback(&self, request: &RollbackRequest, by: &str) -> Result<DeploymentInfo, Rejection> {
        let changing = self.shared.changes.lock().await;
        let present = self.shared.log.current().await?.number;
        let number = request.to.unwrap_or_else(|| present.saturating_sub(1));
        let target = self.shared.log.entry(number).await?;
        for bundle in target.routes.iter().flat_map(|route| &route.bundles) {
            self.shared.bundles.info(&bundle.sha).await.map_err(|gone| {
                Rejection::Conflict(format!("deployment {number} cannot be brought back: {gone}"))
            })?;
        }
        let decide = |state: &Deployment| Ok(desired::rollback(state, &target));
        let Committed { deployment, .. } = self.shared.log.commit(by, decide).await?;
        drop(changing);
        self.wait_until_applied(&deployment).await;
        Ok(DeploymentInfo::from(&*deployment))
    }

    /// Waits until everybody dispatches by this deployment, so that who changed the state sees it.
    async fn wait_until_applied(&self, deployment: &Deployment) {
        let mut status = self.shared.status.clone();
        let applied = status.wait_for(|status| status.is_applied(deployment.number));
        // It is in the log: whether it took a moment longer changes nothing about the answer.
        let _in_time = tokio::time::timeout(self.shared.ready_timeout, applied).await;
    }

    /// Waits for a runner to have loaded this Func; nobody does when somebody took it away meanwhile.
    async fn wait_for_runner(&self, number: u64, func: Option<&FuncAssignment>) -> Readiness {
        let Some(func) = func else { return Readiness::Pending };
        let mut status = self.shared.status.clone();
        let known = status.wait_for(|status| status.readiness(number, func) != Readiness::Pending);
        match tokio::time::timeout(self.shared.ready_timeout, known).await {
            Ok(Ok(status)) => status.readiness(number, func),
            Ok(Err(_)) | Err(_) => Readiness::Pending,
        }
    }
}
