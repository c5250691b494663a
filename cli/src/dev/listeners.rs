//! `Listeners`: the two ports, bound before anything else is done.

use std::net::IpAddr;

use anyhow::{Result, bail};
use tokio::net::TcpListener;

use crate::listener;

/// Where Funcs and the admin API answer.
#[derive(Debug)]
pub(super) struct Listeners {
    pub(super) front: TcpListener,
    pub(super) admin: TcpListener,
}

impl Listeners {
    /// Binds both.
    ///
    /// # Errors
    /// When they cannot be had, with what to do about each.
    pub(super) async fn bind(host: IpAddr, port: u16, admin_port: u16) -> Result<Self> {
        let front = listener::bind((host, port), "--host", "--port").await;
        let admin = listener::bind((host, admin_port), "--host", "--admin-port").await;
        match (front, admin) {
            (Ok(front), Ok(admin)) => Ok(Self { front, admin }),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
            (Err(front), Err(admin)) => bail!("{front:#}\n  {admin:#}"),
        }
    }

    pub(super) fn front_url(&self) -> Result<String> {
        listener::url(&self.front)
    }

    pub(super) fn admin_url(&self) -> Result<String> {
        listener::url(&self.admin)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_named_with_the_flag_that_helps() {
        let host = IpAddr::from(Ipv4Addr::LOCALHOST);
        let taken = TcpListener::bind((host, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let refused = Listeners::bind(host, 0, port).await.unwrap_err().to_string();
        assert_eq!(refused, format!("port {port} is in use already; choose another with --admin-port"));
    }

    #[tokio::test]
    async fn two_ports_in_use_are_told_at_once() {
        let host = IpAddr::from(Ipv4Addr::LOCALHOST);
        let taken = TcpListener::bind((host, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let refused = Listeners::bind(host, port, port).await.unwrap_err().to_string();
        assert!(refused.contains("with --port\n") && refused.ends_with("with --admin-port"), "{refused}");
    }
}
