//! `funcatron dlq`: what was given up.

use clap::Subcommand;
use wire::Timestamp;
use wire::admin::{BundleInfo, DeadLetter, DeadQueue, Purged, RedriveRequest, Redriven};

use crate::clock;
use crate::connection::Given;
use crate::output::{self, Output};
use crate::selection;
use crate::server::{Server, escape};

const AFTER_HELP: &str = "\
QUEUE is a route, by its id or the beginning of it, its base path, or host and base path; `requests` for
what nobody could read or route, or `results` for answers that nobody could read.

Example: what a faulty deployment left behind, once a better one is there
  funcatron dlq list
  funcatron dlq show /pets
  funcatron dlq redrive /pets";

/// Look at the calls that were given up, try them again or throw them away
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Dlq {
    #[command(subcommand)]
    action: Action,
}

/// What to do with them.
#[derive(Debug, Subcommand)]
enum Action {
    /// List the queues of calls that were given up
    List {
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        given: Given,
    },
    /// Show the oldest calls that were given up, with reason, attempts and last error; they stay
    Show {
        /// A route, `requests` or `results`
        queue: String,
        /// Show at most this many
        #[arg(short = 'n', long, default_value_t = 100, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(0..=500))]
        limit: u16,
        #[command(flatten)]
        output: Output,
        #[command(flatten)]
        given: Given,
    },
    /// Try calls again from their first attempt
    ///
    /// Whoever waited for the answer to such a call is gone; callers who were promised it get its result. A
    /// call that is given up again comes back here.
    Redrive {
        /// A route, `requests` or `results`
        queue: String,
        /// Only this one, by the id that `show` shows
        #[arg(long)]
        id: Option<String>,
        /// Run them with this bundle instead of the one that the route chooses
        #[arg(long, value_name = "SHA")]
        to: Option<String>,
        #[command(flatten)]
        given: Given,
    },
    /// Throw calls away for good
    Purge {
        /// A route, `requests` or `results`
        queue: String,
        /// Only this one, by the id that `show` shows
        #[arg(long)]
        id: Option<String>,
        #[command(flatten)]
        given: Given,
    },
}

impl Dlq {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { output, given } => list(output, &Server::choose(&given)?),
            Action::Show { queue, limit, output, given } => {
                show(&queue, limit, output, &Server::choose(&given)?)
            }
            Action::Redrive { queue, id, to, given } => {
                redrive(&queue, id, to.as_deref(), &Server::choose(&given)?)
            }
            Action::Purge { queue, id, given } => purge(&queue, id.as_deref(), &Server::choose(&given)?),
        }
    }
}

fn list(output: Output, server: &Server) -> anyhow::Result<()> {
    let queues: Vec<DeadQueue> = server.get("/dead-letters")?;
    let now = Timestamp::now();
    let header = ["QUEUE", "COUNT", "OLDEST", "ROUTE", "TITLE"];
    output.show(&queues, &header, || queues.iter().map(|queue| queue_row(queue, now)).collect())
}

fn queue_row(queue: &DeadQueue, now: Timestamp) -> Vec<String> {
    let oldest = queue.oldest.map_or_else(|| "-".to_owned(), |at| clock::ago(at, now));
    let (route, title) = match &queue.route {
        None => ("-".to_owned(), String::new()),
        Some(route) if route.deployed => {
            (selection::place(&route.host, &route.base_path), route.title.clone())
        }
        Some(route) => {
            (format!("{} (gone)", selection::place(&route.host, &route.base_path)), route.title.clone())
        }
    };
    vec![queue.name.clone(), queue.count.to_string(), oldest, route, title]
}

fn show(queue: &str, limit: u16, output: Output, server: &Server) -> anyhow::Result<()> {
    let path = path(queue, server)?;
    let letters: Vec<DeadLetter> = server.get(&format!("{path}?limit={limit}"))?;
    let header = ["GIVEN UP", "METHOD", "PATH", "ATTEMPTS", "REASON", "LAST ERROR", "ID"];
    output.show(&letters, &header, || letters.iter().map(letter_row).collect())
}

fn letter_row(letter: &DeadLetter) -> Vec<String> {
    let unknown = || "-".to_owned();
    let (method, path) = match &letter.call {
        Some(call) => (call.method.clone(), call.path.clone()),
        None => (unknown(), format!("{} bytes that cannot be read", letter.size)),
    };
    vec![
        letter.why.at.map_or_else(unknown, clock::utc),
        method,
        path,
        letter.why.attempts.map_or_else(unknown, |attempts| attempts.to_string()),
        letter.why.reason.clone(),
        letter.why.last_error.clone().unwrap_or_else(unknown),
        letter.id.clone(),
    ]
}

fn redrive(queue: &str, id: Option<String>, to: Option<&str>, server: &Server) -> anyhow::Result<()> {
    let path = format!("{}/redrive", path(queue, server)?);
    let to = match to {
        Some(text) => Some(bundle(text, server)?),
        None => None,
    };
    let request = RedriveRequest { id, to };
    let mut sum = Redriven::default();
    // Tron takes some hundreds at a time. Those that come back meanwhile are not tried for ever.
    let mut to_do = u64::MAX;
    loop {
        let part: Redriven = server.post(&path, &request)?;
        to_do = to_do.min(part.redriven + part.left).saturating_sub(part.redriven);
        sum = Redriven { redriven: sum.redriven + part.redriven, ..part };
        if part.redriven == 0 || to_do <= part.kept || request.id.is_some() {
            break;
        }
    }
    if sum.kept > 0 {
        output::remark(format!("{} stay: nobody can read them, or no route takes them", sum.kept));
    }
    Ok(output::line(format!("redriven {}", sum.redriven))?)
}

fn purge(queue: &str, id: Option<&str>, server: &Server) -> anyhow::Result<()> {
    let query = id.map(|id| format!("?id={}", escape(id))).unwrap_or_default();
    let Purged { purged } = server.delete_for(&format!("{}{query}", path(queue, server)?))?;
    Ok(output::line(format!("purged {purged}"))?)
}

/// Where the admin API has the queue that a person means.
fn path(queue: &str, server: &Server) -> anyhow::Result<String> {
    let queues: Vec<DeadQueue> = server.get("/dead-letters")?;
    Ok(format!("/dead-letters/{}", selection::dead_queue(&queues, queue)?.name))
}

fn bundle(text: &str, server: &Server) -> anyhow::Result<wire::BundleSha> {
    let bundles: Vec<BundleInfo> = server.get("/bundles")?;
    match selection::bundle(&bundles, text) {
        Some(bundle) => Ok(bundle.sha.clone()),
        None => anyhow::bail!(
            "{text} is not the beginning of just one bundle's SHA-256; `funcatron list` shows them"
        ),
    }
}
