//! `Listeners`: the two ports, bound before anything else is done.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context, Result, anyhow, bail};
use tokio::net::TcpListener;

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
        let front = bind(host, port, "--port").await;
        let admin = bind(host, admin_port, "--admin-port").await;
        match (front, admin) {
            (Ok(front), Ok(admin)) => Ok(Self { front, admin }),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
            (Err(front), Err(admin)) => bail!("{front:#}\n  {admin:#}"),
        }
    }

    pub(super) fn front_url(&self) -> Result<String> {
        url(&self.front)
    }

    pub(super) fn admin_url(&self) -> Result<String> {
        url(&self.admin)
    }
}

async fn bind(host: IpAddr, port: u16, flag: &str) -> Result<TcpListener> {
    TcpListener::bind((host, port)).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!("port {port} is in use already; choose another with {flag}"),
        ErrorKind::PermissionDenied => anyhow!("port {port} is not open to you; choose another with {flag}"),
        ErrorKind::AddrNotAvailable => {
            anyhow!("{host} is no address of this machine; choose another with --host")
        }
        _ => anyhow!(error).context(format!("listen on {host}, port {port}")),
    })
}

/// What a person can click.
fn url(listener: &TcpListener) -> Result<String> {
    let address = listener.local_addr().context("ask for the port")?;
    Ok(format!("http://{}", reachable(address)))
}

/// A listener on every address is reached on the loopback one.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn every_address_is_shown_as_loopback() {
        assert_eq!(reachable("0.0.0.0:3000".parse().unwrap()).to_string(), "127.0.0.1:3000");
        assert_eq!(reachable("[::]:3000".parse().unwrap()).to_string(), "[::1]:3000");
    }
}
