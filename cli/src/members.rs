//! `funcatron members`: who of the platform is up.

use wire::Timestamp;
use wire::admin::MemberInfo;

use crate::clock;
use crate::connection::Given;
use crate::output::Output;
use crate::server::Server;

/// List the members of the platform that are up
#[derive(Debug, clap::Args)]
pub(crate) struct Members {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

impl Members {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let members: Vec<MemberInfo> = Server::choose(&self.given)?.get("/members")?;
        let now = Timestamp::now();
        let header = ["ROLE", "MEMBER", "SEEN", "LABELS", "FAILED"];
        self.output.show(&members, &header, || members.iter().map(|member| row(member, now)).collect())
    }
}

fn row(member: &MemberInfo, now: Timestamp) -> Vec<String> {
    let seen = clock::ago(member.seen_at, now);
    vec![
        member.role.to_string(),
        member.id.to_string(),
        if member.leaving { format!("leaving, {seen}") } else { seen },
        member.labels.to_string(),
        failures(member),
    ]
}

/// The Funcs that a member could not load, and why.
pub(crate) fn failures(member: &MemberInfo) -> String {
    let failures = member.failed.iter().map(|(queue, reason)| format!("{queue}: {reason}"));
    failures.collect::<Vec<_>>().join("\n")
}
