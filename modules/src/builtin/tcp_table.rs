//! The kernel's table of TCP connections, as `/proc/net/tcp` and `tcp6` tell it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Result;
use crate::outcome::Context;

/// The states of a connection: Ansible's name and the kernel's number.
pub const STATES: &[(&str, &str)] =
    &[("ESTABLISHED", "01"), ("SYN_SENT", "02"), ("SYN_RECV", "03"), ("FIN_WAIT1", "04"), ("FIN_WAIT2", "05"), ("TIME_WAIT", "06")];

/// Connections: local address and port, and the address of the other side.
pub struct TcpTable(Vec<(IpAddr, u16, IpAddr)>);

impl TcpTable {
    /// The connections that are in one of the states.
    pub fn read(states: &[String]) -> Result<Self> {
        let numbers: Vec<&str> =
            STATES.iter().filter(|(name, _)| states.iter().any(|state| state == name)).map(|(_, number)| *number).collect();
        let mut connections = Vec::new();
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let text = match std::fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error).context(format_args!("could not read `{path}`")),
            };
            connections.extend(text.lines().skip(1).filter_map(|line| connection(line, &numbers)));
        }
        Ok(Self(connections))
    }

    /// Whether a connection of this port is there, on one of the local addresses (any where `0.0.0.0` or `::` is among them), with
    /// none of the excluded on its other side.
    pub fn is_used(&self, port: u16, local: &[IpAddr], excluded: &[IpAddr]) -> bool {
        let is_any = local.iter().any(IpAddr::is_unspecified);
        self.0.iter().any(|(address, local_port, other)| {
            *local_port == port && (is_any || address.is_unspecified() || local.contains(address)) && !excluded.contains(other)
        })
    }
}

fn connection(line: &str, states: &[&str]) -> Option<(IpAddr, u16, IpAddr)> {
    let mut fields = line.split_whitespace().skip(1);
    let (local, other, state) = (fields.next()?, fields.next()?, fields.next()?);
    if !states.contains(&state) {
        return None;
    }
    let (address, port) = local.split_once(':')?;
    Some((ip(address)?, u16::from_str_radix(port, 16).ok()?, ip(other.split_once(':')?.0)?))
}

/// The kernel writes addresses as words of 32 bits in its own byte order.
fn ip(digits: &str) -> Option<IpAddr> {
    let mut bytes = Vec::new();
    for word in 0..digits.len() / 8 {
        bytes.extend(u32::from_str_radix(digits.get(word * 8..word * 8 + 8)?, 16).ok()?.to_ne_bytes());
    }
    if let Ok(four) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(Ipv4Addr::from(four).into());
    }
    let sixteen = <[u8; 16]>::try_from(bytes.as_slice()).ok()?;
    Some(Ipv6Addr::from(sixteen).to_canonical())
}
