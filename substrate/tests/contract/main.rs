//! The contract of substrates, on real ones: processes, a Docker Engine, a Swarm.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod behaviours;
mod docker;
mod engine;
mod processes;
mod stand_in;
mod subject;
mod swarm;
mod trouble;

/// Makes a test of every behaviour. The expression makes a subject, once for each.
macro_rules! contract {
    ($subject:expr) => {
        crate::contract! { $subject;
            a_pool_grows_shrinks_and_goes_to_zero
            doing_it_again_changes_nothing
            who_stays_is_not_touched_when_a_pool_grows
            two_at_once_make_no_more_than_one
            a_later_object_takes_over_what_it_finds
            a_killed_instance_is_replaced
            a_changed_template_replaces_runners_and_never_leaves_fewer
            who_leaves_has_time_to_finish
            who_does_not_leave_in_time_is_ended
            pools_that_nobody_knows_are_left
            clusters_are_apart
            who_ends_at_once_is_shown_as_failed_without_secrets
        }
    };
    ($subject:expr; $($behaviour:ident)*) => {
        $(
            #[tokio::test]
            async fn $behaviour() {
                crate::behaviours::$behaviour($subject).await;
            }
        )*
    };
}
use contract;
