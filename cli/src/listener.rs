//! A port to answer on, and what to do when it cannot be had.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use anyhow::{Context, Result, anyhow};
use tokio::net::TcpListener;

/// Binds it.
///
/// # Errors
/// When it cannot be had, with the flag that helps.
pub(crate) async fn bind(
    (host, port): (IpAddr, u16),
    host_flag: &str,
    port_flag: &str,
) -> Result<TcpListener> {
    TcpListener::bind((host, port)).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => anyhow!("port {port} is in use already; choose another with {port_flag}"),
        ErrorKind::PermissionDenied => {
            anyhow!("port {port} is not open to you; choose another with {port_flag}")
        }
        ErrorKind::AddrNotAvailable => {
            anyhow!("{host} is no address of this machine; choose another with {host_flag}")
        }
        _ => anyhow!(error).context(format!("listen on {host}, port {port}")),
    })
}

/// What a person can click.
pub(crate) fn url(listener: &TcpListener) -> Result<String> {
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

    #[test]
    fn every_address_is_shown_as_loopback() {
        assert_eq!(reachable("0.0.0.0:3000".parse().unwrap()).to_string(), "127.0.0.1:3000");
        assert_eq!(reachable("[::]:3000".parse().unwrap()).to_string(), "[::1]:3000");
    }
}
