//! What every substrate has to do: one function for each behaviour, run on each of them.

use std::collections::BTreeSet;
use std::time::Duration;

use rustix::process::Signal;
use substrate::InstanceState;
use tokio::time::interval;

use crate::stand_in::{is_up, pid, signal};
use crate::subject::{Subject, failure, heard, names, settle, until, up};

pub(crate) async fn a_pool_grows_shrinks_and_goes_to_zero(subject: Subject) {
    let (substrate, template) = (subject.object(), subject.template("default"));
    for count in [1, 3, 2, 0, 1] {
        settle(&*substrate, &template, count).await;
    }
}

pub(crate) async fn doing_it_again_changes_nothing(subject: Subject) {
    let (substrate, template) = (subject.object(), subject.template("default"));
    let before = settle(&*substrate, &template, 2).await;
    for _ in 0..3 {
        substrate.scale(&template, 2, &before).await.unwrap();
        substrate.scale(&template, 2, &BTreeSet::new()).await.unwrap();
    }
    assert_eq!(up(&*substrate, &template).await, before);
}

pub(crate) async fn who_stays_is_not_touched_when_a_pool_grows(subject: Subject) {
    let (substrate, template) = (subject.object(), subject.template("default"));
    let before = settle(&*substrate, &template, 2).await;
    assert!(settle(&*substrate, &template, 3).await.is_superset(&before));
}

pub(crate) async fn two_at_once_make_no_more_than_one(subject: Subject) {
    let (one, other, template) = (subject.object(), subject.object(), subject.template("default"));
    let none = BTreeSet::new();
    let (first, second) = tokio::join!(one.scale(&template, 4, &none), other.scale(&template, 4, &none));
    first.unwrap();
    second.unwrap();
    let (first, second) = tokio::join!(one.scale(&template, 4, &none), other.scale(&template, 4, &none));
    first.unwrap();
    second.unwrap();
    let instances = one.instances(std::slice::from_ref(&template)).await.unwrap();
    assert_eq!(instances.len(), 4, "{instances:?}");
    let before = settle(&*one, &template, 4).await;
    let (first, second) = tokio::join!(one.scale(&template, 1, &before), other.scale(&template, 1, &before));
    first.unwrap();
    second.unwrap();
    // Whoever was told to leave by one was not told by the other to leave for another.
    assert!(settle(&*other, &template, 1).await.is_subset(&before));
}

pub(crate) async fn a_later_object_takes_over_what_it_finds(subject: Subject) {
    let template = subject.template("default");
    let before = settle(&*subject.object(), &template, 2).await;
    let later = subject.object();
    assert_eq!(up(&*later, &template).await, before);
    assert_eq!(settle(&*later, &template, 2).await, before);
    assert!(settle(&*later, &template, 1).await.is_subset(&before));
}

pub(crate) async fn a_killed_instance_is_replaced(subject: Subject) {
    let (substrate, template) = (subject.object(), subject.template("default"));
    let before = settle(&*substrate, &template, 2).await;
    let killed = before.first().unwrap();
    signal(killed, Signal::KILL);
    until("it is gone", || async { pid(killed).is_none().then_some(()) }).await;
    let after = settle(&*substrate, &template, 2).await;
    assert!(!after.contains(killed), "{after:?}");
    assert!(after.contains(before.last().unwrap()));
}

pub(crate) async fn a_changed_template_replaces_runners_and_never_leaves_fewer(subject: Subject) {
    let (substrate, before) = (subject.object(), subject.template("default"));
    let old = settle(&*substrate, &before, 2).await;
    let mut after = before.clone();
    after.environment.push(("FUNCATRON_SLOTS".to_owned(), "8".to_owned()));
    let mut looks = interval(Duration::from_millis(50));
    loop {
        looks.tick().await;
        let ready = up(&*substrate, &after).await;
        assert!(ready.len() >= 2, "{ready:?}");
        heard(substrate.scale(&after, 2, &ready).await);
        let instances = heard(substrate.instances(std::slice::from_ref(&after)).await).unwrap_or_default();
        if instances.len() == 2 && instances.iter().all(|instance| instance.is_current) {
            break;
        }
    }
    assert!(settle(&*substrate, &after, 2).await.is_disjoint(&old));
}

pub(crate) async fn who_leaves_has_time_to_finish(subject: Subject) {
    let (substrate, mut template) = (subject.object(), subject.template_of("default", "holding"));
    template.drain_timeout = Duration::from_secs(60);
    let held = settle(&*substrate, &template, 1).await.pop_first().unwrap();
    let none = BTreeSet::new();
    substrate.scale(&template, 0, &none).await.unwrap();
    until("it leaves", || async {
        heard(substrate.scale(&template, 0, &none).await)?;
        let instances = heard(substrate.instances(std::slice::from_ref(&template)).await)?;
        names(&instances, &InstanceState::Leaving).contains(&held).then_some(())
    })
    .await;
    assert!(is_up(&held));
    // It ends only if it was told to leave before: of a container that happens a moment later.
    until("it ends", || async {
        signal(&held, Signal::USR1);
        pid(&held).is_none().then_some(())
    })
    .await;
    settle(&*substrate, &template, 0).await;
}

pub(crate) async fn who_does_not_leave_in_time_is_ended(subject: Subject) {
    let (substrate, template) = (subject.object(), subject.template_of("default", "holding"));
    settle(&*substrate, &template, 1).await;
    settle(&*substrate, &template, 0).await;
}

pub(crate) async fn pools_that_nobody_knows_are_left(subject: Subject) {
    let (substrate, kept, orphan) = (subject.object(), subject.template("kept"), subject.template("orphan"));
    let before = settle(&*substrate, &kept, 1).await;
    settle(&*substrate, &orphan, 2).await;
    let later = subject.object();
    until("orphans leave", || async {
        heard(later.retire(std::slice::from_ref(&kept.pool)).await)?;
        let instances = heard(later.instances(std::slice::from_ref(&kept)).await)?;
        (instances.len() == 1).then_some(())
    })
    .await;
    assert_eq!(up(&*later, &kept).await, before);
}

pub(crate) async fn clusters_are_apart(subject: Subject) {
    let (substrate, template) = (subject.object(), subject.template("default"));
    let other = (subject.open)(&format!("{}-other", subject.cluster));
    let before = settle(&*substrate, &template, 1).await;
    settle(&*other, &template, 2).await;
    other.retire(&[]).await.unwrap();
    settle(&*other, &template, 0).await;
    assert_eq!(up(&*substrate, &template).await, before);
}

pub(crate) async fn who_ends_at_once_is_shown_as_failed_without_secrets(subject: Subject) {
    let (substrate, template) = (subject.object(), subject.template_of("default", "crashing"));
    let reason = failure(&*substrate, &template).await;
    assert!(reason.contains('3') && !reason.contains("hunter22"), "{reason}");
    settle(&*substrate, &template, 0).await;
}
