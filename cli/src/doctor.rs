//! `funcatron doctor`: is everything as it should be, and what to do where it is not.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use wire::Role;
use wire::admin::{Health, MemberInfo};

use crate::cargo::Cargo;
use crate::connection::Given;
use crate::members::failures;
use crate::output::{Format, Output};
use crate::server::Server;
use crate::{output, trouble};

/// Check the server, its members and this machine
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    given: Given,
}

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    /// What was seen, or what to do.
    says: String,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// Not everybody needs it.
    Note,
    Problem,
}

/// Where `funcatron dev` wants to answer.
const PORTS: [u16; 2] = [3000, 3001];

impl Doctor {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let server = Server::choose(&self.given)?;
        let health = server.get::<Health>("/health");
        let version = Finding::ok("version", env!("CARGO_PKG_VERSION"));
        let mut findings = vec![version, reachable(&server, &health)];
        match &health {
            Ok(health) => findings.extend(members(server.get("/members"), health)),
            // Only a server that is about to start needs the ports.
            Err(_) => findings.push(ports(&taken_ports())),
        }
        findings.push(rust());
        self.show(&findings)?;
        let healthy = findings.iter().all(|finding| finding.state != State::Problem);
        Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn show(&self, findings: &[Finding]) -> Result<()> {
        if self.output.format == Format::Json {
            return output::json(&findings);
        }
        for Finding { check, state, says } in findings {
            output::line(format!("{:<7}  {check}: {says}", state.word()))?;
        }
        Ok(())
    }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

impl Finding {
    fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, state: State::Ok, says: says.into() }
    }

    fn problem(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, state: State::Problem, says: says.into() }
    }
}

fn reachable(server: &Server, health: &Result<Health>) -> Finding {
    match health {
        Ok(health) => {
            Finding::ok("server", format!("{}, deployment {}", server.connection.url, health.deployment))
        }
        Err(error) => Finding::problem("server", trouble::chain(error)),
    }
}

fn members(members: Result<Vec<MemberInfo>>, health: &Health) -> Vec<Finding> {
    let members = match members {
        Ok(members) => members,
        Err(error) => return vec![Finding::problem("token", trouble::chain(&error))],
    };
    let mut findings = vec![Finding::ok("token", "accepted")];
    for (role, name, remedy) in [
        (Role::Frontend, "frontend", "nobody takes requests; start one"),
        (Role::Runner, "runner", "nobody runs Funcs; start one"),
    ] {
        let count = members.iter().filter(|member| member.role == role).count();
        // A frontend that holds no state sends no heartbeats: only its absence beside others is telling.
        match count {
            0 if role == Role::Runner => findings.push(Finding::problem(name, remedy)),
            0 => {}
            count => findings.push(Finding::ok(name, format!("{count} up"))),
        }
    }
    let failed: Vec<String> = members.iter().map(failures).filter(|text| !text.is_empty()).collect();
    match failed.as_slice() {
        [] => findings.push(Finding::ok("funcs", format!("all loaded, deployment {}", health.deployment))),
        failed => findings.push(Finding::problem("funcs", format!("not loaded: {}", failed.join("; ")))),
    }
    findings
}

fn taken_ports() -> Vec<u16> {
    PORTS.into_iter().filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_err()).collect()
}

fn ports(taken: &[u16]) -> Finding {
    let names = |ports: &[u16]| ports.iter().map(u16::to_string).collect::<Vec<_>>().join(" and ");
    match taken {
        [] => Finding::ok("ports", format!("{} are free for `funcatron dev`", names(&PORTS))),
        taken => Finding::problem(
            "ports",
            format!("{} taken; use --port and --admin-port with `funcatron dev`", names(taken)),
        ),
    }
}

/// Whether Funcs in Rust can be built here; those in JavaScript need nothing.
fn rust() -> Finding {
    match Cargo::from_env().problem(Path::new(".")) {
        None => Finding::ok("rust", "Funcs in Rust can be built"),
        Some(problem) => {
            Finding { check: "rust", state: State::Note, says: format!("for Funcs in Rust, {problem}") }
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::MemberId;

    use super::*;

    #[test]
    fn a_taken_port_is_named_with_what_to_do() {
        let finding = ports(&[3001]);
        assert_eq!(finding.state, State::Problem);
        assert_eq!(finding.says, "3001 taken; use --port and --admin-port with `funcatron dev`");
        assert_eq!(ports(&[]).state, State::Ok);
    }

    #[test]
    fn a_platform_without_a_runner_is_not_well() {
        let health = Health { member: MemberId::generate(Role::Tron), deployment: 1 };
        let findings = members(Ok(Vec::new()), &health);
        let problems: Vec<&str> = findings
            .iter()
            .filter(|finding| finding.state == State::Problem)
            .map(|finding| finding.check)
            .collect();
        assert_eq!(problems, ["runner"]);
    }
}
