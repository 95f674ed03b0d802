//! An IP address and the network it is in: what all filters and tests of addresses work on.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use num_bigint::BigInt;

/// `192.168.1.5/24`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Whether it is of IPv6.
    pub v6: bool,
    /// The address.
    pub ip: u128,
    /// The bits that name the network.
    pub prefix: u32,
}

impl Network {
    /// An address, with or without `/24`, `/255.255.255.0` or `/0.0.0.255`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let (v6, ip) = match (address.parse::<Ipv4Addr>(), address.parse::<Ipv6Addr>()) {
            (Ok(ip), _) => (false, u128::from(u32::from(ip))),
            (_, Ok(ip)) => (true, u128::from(ip)),
            _ => return None,
        };
        let width = if v6 { 128 } else { 32 };
        let prefix = match prefix {
            None => width,
            Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= width).or_else(|| prefix_of_mask(prefix, v6))?,
        };
        Some(Self { v6, ip, prefix })
    }

    /// The address of a number.
    pub fn of_number(number: u128) -> Self {
        let v6 = number > u128::from(u32::MAX);
        Self { v6, ip: number, prefix: if v6 { 128 } else { 32 } }
    }

    /// The bits of an address.
    pub fn width(self) -> u32 {
        if self.v6 { 128 } else { 32 }
    }

    /// The bits that name a host.
    pub fn host_bits(self) -> u32 {
        self.width() - self.prefix
    }

    /// All bits that name a host, set.
    pub fn hostmask(self) -> u128 {
        match self.host_bits() {
            128 => u128::MAX,
            bits => (1 << bits) - 1,
        }
    }

    /// All bits that name the network, set.
    pub fn netmask(self) -> u128 {
        let all = if self.v6 { u128::MAX } else { u128::from(u32::MAX) };
        all ^ self.hostmask()
    }

    /// The first address.
    pub fn first(self) -> u128 {
        self.ip & !self.hostmask()
    }

    /// The last address.
    pub fn last(self) -> u128 {
        self.ip | self.hostmask()
    }

    /// How many addresses.
    pub fn size(self) -> BigInt {
        BigInt::from(1) << self.host_bits()
    }

    /// The first and the last address that a host can have; `None` of a single address.
    pub fn usable(self) -> Option<(u128, u128)> {
        match self.host_bits() {
            0 => None,
            1 => Some((self.first(), self.last())),
            _ => Some((self.first() + 1, self.last() - 1)),
        }
    }

    /// Whether the address is that of the network, and not of a host.
    pub fn is_network(self) -> bool {
        self.host_bits() > 1 && self.ip == self.first()
    }

    /// Whether all of `other` is in it.
    pub fn contains(self, other: Self) -> bool {
        self.v6 == other.v6 && self.first() <= other.first() && other.last() <= self.last()
    }

    /// Whether `ip` is in the network written as `text`.
    pub fn is_in(self, text: &str) -> bool {
        let single = Self { prefix: self.width(), ..self };
        Self::parse(text).is_some_and(|network| network.contains(single))
    }

    /// The address at `index`, counted from the end where it is negative.
    pub fn nth(self, index: i128) -> Option<u128> {
        if index < 0 {
            return u128::try_from(-(index + 1)).ok().filter(|back| *back <= self.hostmask()).map(|back| self.last() - back);
        }
        u128::try_from(index).ok().filter(|index| *index <= self.hostmask()).map(|index| self.first() + index)
    }

    /// The network without the host.
    pub fn base(self) -> Self {
        Self { ip: self.first(), ..self }
    }

    /// An address of the same version as text.
    pub fn show(self, ip: u128) -> String {
        match u32::try_from(ip) {
            Ok(ip) if !self.v6 => Ipv4Addr::from(ip).to_string(),
            _ => Ipv6Addr::from(ip).to_string(),
        }
    }

    /// The name of the address in the tree of reverse names.
    pub fn reverse_name(self) -> String {
        if self.v6 {
            let digits: String = (0..32).map(|digit| format!("{:x}.", self.ip >> (4 * digit) & 15)).collect();
            return format!("{digits}ip6.arpa.");
        }
        let bytes: String = (0..4).map(|byte| format!("{}.", self.ip >> (8 * byte) & 255)).collect();
        format!("{bytes}in-addr.arpa.")
    }

    /// Whether the address is for one host and not for many.
    pub fn is_multicast(self) -> bool {
        self.is_in("224.0.0.0/4") || self.is_in("ff00::/8")
    }

    /// Whether the address is that of the machine itself.
    pub fn is_loopback(self) -> bool {
        self.is_in("127.0.0.0/8") || self.is_in("::1")
    }

    /// Whether the address counts on its own wire alone.
    pub fn is_link_local(self) -> bool {
        self.is_in("169.254.0.0/16") || self.is_in("fe80::/10")
    }

    /// Whether the address can be reached from everywhere, by the registers of special addresses.
    pub fn is_global(self) -> bool {
        EXCEPTIONS.iter().any(|network| self.is_in(network)) || !LOCAL.iter().any(|network| self.is_in(network))
    }
}

const LOCAL: [&str; 24] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/128",
    "::1/128",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
];
const EXCEPTIONS: [&str; 8] =
    ["192.0.0.9/32", "192.0.0.10/32", "2001:1::1/128", "2001:1::2/128", "2001:3::/32", "2001:4:112::/48", "2001:20::/28", "2001:30::/28"];

/// The bits of a mask whose ones come first, or of one whose zeros do.
fn prefix_of_mask(text: &str, v6: bool) -> Option<u32> {
    let mask = Network::parse(text).filter(|mask| mask.v6 == v6 && !text.contains('/'))?;
    let all = if v6 { u128::MAX } else { u128::from(u32::MAX) };
    let of_hosts = |hosts: u128| (hosts & hosts.wrapping_add(1) == 0).then(|| mask.width() - hosts.count_ones());
    of_hosts(mask.ip ^ all).or_else(|| of_hosts(mask.ip))
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.show(self.ip), self.prefix)
    }
}
