//! `ansible.utils.ipaddr` and the filters that are the same with other words: addresses, and what a query asks of them.

use num_bigint::BigInt;

use super::network::Network;
use super::{arguments_error, filter, refuse};
use crate::template::{Evaluator, Filter, Param, Result, TemplateError, Val};
use crate::value::Value;

use Param::{Optional, RestNamed};

pub(super) const FILTERS: &[Filter] = &[
    filter(
        "ansible.utils.ipaddr",
        &[Optional("query"), Optional("version"), Optional("alias"), RestNamed],
        |evaluator, value, arguments| {
            let version = arguments.get(1).filter(|val| !val.is_none()).and_then(Val::as_int);
            let alias = arguments.text(2)?.map(|alias| alias.as_str().to_owned());
            arguments_error(arguments, "alias, query, value, version")?;
            ipaddr(evaluator, value, arguments.get(0), version, alias.as_deref())
        },
    ),
    filter("ansible.utils.ipv4", QUERY, |evaluator, value, arguments| ipaddr(evaluator, value, arguments.get(0), Some(4), Some("ipv4"))),
    filter("ansible.utils.ipv6", QUERY, |evaluator, value, arguments| ipaddr(evaluator, value, arguments.get(0), Some(6), Some("ipv6"))),
    filter("ansible.utils.ipwrap", QUERY, |evaluator, value, _| ipwrap(evaluator, value)),
];

const QUERY: &[Param] = &[Optional("query")];

/// An address as it was given.
struct Given {
    network: Network,
    /// Whether it said its network.
    has_prefix: bool,
    /// The text that it came as.
    text: String,
}

impl Given {
    fn of(val: &Val, version: Option<i64>) -> Option<Self> {
        let number = match val {
            Val::Plain(Value::Text(text)) => match text.as_str().parse::<u128>() {
                Ok(number) => number,
                Err(_) => {
                    let network = Network::parse(text.as_str())?;
                    return Some(Self { network, has_prefix: text.as_str().contains('/'), text: text.as_str().to_owned() });
                }
            },
            Val::Plain(Value::Int(number)) => u128::try_from(*number).ok()?,
            Val::Plain(Value::BigInt(number)) => u128::try_from(number.as_ref()).ok()?,
            _ => return None,
        };
        let mut network = Network::of_number(number);
        if version == Some(6) && !network.v6 {
            network = Network { v6: true, prefix: 128, ..network };
        }
        Some(Self { network, has_prefix: false, text: network.to_string() })
    }

    /// As it was given, in the usual spelling.
    fn shown(&self) -> String {
        if self.has_prefix { self.network.to_string() } else { self.network.show(self.network.ip) }
    }
}

/// The filter for one value or a list of them.
pub(super) fn ipaddr(evaluator: &Evaluator, value: &Val, query: Option<&Val>, version: Option<i64>, alias: Option<&str>) -> Result<Val> {
    if value.is_list() {
        let _depth = evaluator.enter()?;
        let mut kept = Vec::new();
        for item in evaluator.items(value)? {
            let found = ipaddr(evaluator, &item, query, version, alias)?;
            if evaluator.truthy(&found)? {
                kept.push(found);
            }
        }
        return Ok(Val::list(kept));
    }
    match value {
        Val::Plain(Value::Text(_) | Value::Int(_) | Value::BigInt(_) | Value::Bool(_)) => {}
        other => {
            return refuse(format!("Unrecognized type <<class '{}'>> for {} filter <value>", other.type_name(), alias.unwrap_or("ipaddr")));
        }
    }
    let Some(given) = Given::of(value, version) else { return Ok(Val::from(false)) };
    if version.is_some_and(|version| (version == 6) != given.network.v6) {
        return Ok(Val::from(false));
    }
    match query {
        None => answer(&given, "", alias),
        Some(val) if val.is_none() => answer(&given, "", alias),
        Some(Val::Plain(Value::Int(number))) => answer(&given, &number.to_string(), alias),
        Some(other) => answer(&given, evaluator.text(other)?.as_str(), alias),
    }
}

fn ipwrap(evaluator: &Evaluator, value: &Val) -> Result<Val> {
    if value.is_list() {
        let _depth = evaluator.enter()?;
        return Ok(Val::list(evaluator.items(value)?.iter().map(|item| ipwrap(evaluator, item)).collect::<Result<_>>()?));
    }
    let Some(text) = value.as_str() else {
        return refuse(format!("Unrecognized type <<class '{}'>> for ipwrap filter <value>", value.type_name()));
    };
    Ok(match Given::of(value, None).filter(|given| given.network.v6 && !text.is_empty()) {
        Some(given) => Val::from(wrapped(&given)),
        None => value.clone(),
    })
}

fn wrapped(given: &Given) -> String {
    let prefix = if given.has_prefix { format!("/{}", given.network.prefix) } else { String::new() };
    format!("[{}]{prefix}", given.network.show(given.network.ip))
}

fn not_a_network<T>() -> Result<T> {
    refuse("Not a network address")
}

fn answer(given: &Given, query: &str, alias: Option<&str>) -> Result<Val> {
    let network = given.network;
    let show = |ip: u128| Val::from(network.show(ip));
    let itself = |is: bool| Ok(if is { Val::from(given.text.as_str()) } else { Val::NONE });
    let some = |text: Option<String>| Ok(text.map_or(Val::NONE, Val::from));
    let single = network.host_bits() == 0;
    let of_usable = |choose: &dyn Fn((u128, u128)) -> Option<String>| match (given.has_prefix, network.usable()) {
        (false, _) => not_a_network(),
        (true, usable) => some(usable.and_then(choose)),
    };
    let neighbour = |ip: u128| network.usable().filter(|(first, last)| *first <= ip && ip <= *last).map(|_| network.show(ip));
    match query {
        "" => Ok(Val::from(given.shown())),
        "bool" => Ok(Val::from(true)),
        "address" | "ip" => some((network.v6 || !network.is_network()).then(|| network.show(network.ip))),
        "address/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet" | "router" => {
            Ok(if network.is_network() { Val::from(false) } else { Val::from(network.to_string()) })
        }
        "broadcast" => some((network.host_bits() > 1).then(|| network.show(network.last()))),
        "cidr" => Ok(Val::from(network.to_string())),
        "first_usable" => of_usable(&|(first, _)| Some(network.show(first))),
        "host" => some((!network.is_network()).then(|| network.to_string())),
        "hostmask" | "wildcard" => Ok(show(network.hostmask())),
        "int" if given.has_prefix => Ok(Val::from(format!("{}/{}", network.ip, network.prefix))),
        "int" => Ok(Val::Plain(Value::int(BigInt::from(network.ip)))),
        "ip/prefix" => some((!single && !network.is_network()).then(|| network.to_string())),
        "ip_netmask" => {
            some((!single && !network.is_network()).then(|| format!("{} {}", network.show(network.ip), network.show(network.netmask()))))
        }
        "ipv4" if !network.v6 => itself(true),
        "ipv4" => Ok(match u32::try_from(network.ip).or_else(|_| u32::try_from(network.ip ^ MAPPED)) {
            Ok(ip) if network.prefix >= 96 => Val::from(Network { v6: false, ip: ip.into(), prefix: network.prefix - 96 }.to_string()),
            _ => Val::from(false),
        }),
        "ipv6" if network.v6 => itself(true),
        "ipv6" => Ok(Val::from(Network { v6: true, ip: network.ip | MAPPED, prefix: network.prefix + 96 }.to_string())),
        "last_usable" => of_usable(&|(_, last)| Some(network.show(last))),
        "link-local" => itself(network.is_link_local()),
        "lo" | "loopback" => itself(network.is_loopback()),
        "multicast" => itself(network.is_multicast()),
        "net" => some((!single && network.ip == network.first()).then(|| network.to_string())),
        "netmask" => Ok(show(network.netmask())),
        "network" | "network_id" => Ok(show(network.first())),
        "network/prefix" | "subnet" => Ok(Val::from(network.base().to_string())),
        "network_netmask" => Ok(Val::from(format!("{} {}", network.show(network.first()), network.show(network.netmask())))),
        "network_wildcard" => Ok(Val::from(format!("{} {}", network.show(network.first()), network.show(network.hostmask())))),
        "next_usable" => of_usable(&|_| neighbour(network.ip.wrapping_add(1))),
        "peer" => match (given.has_prefix, network.host_bits(), network.ip - network.first()) {
            (false, ..) => not_a_network(),
            (true, 1, _) => Ok(show(network.ip ^ 1)),
            (true, 2, host @ (1 | 2)) => Ok(show(network.first() + 3 - host)),
            (true, 2, 0) => refuse("Network address of /30 has no peer"),
            (true, 2, _) => refuse("Broadcast address of /30 has no peer"),
            (true, ..) => refuse("Not a point-to-point network"),
        },
        "prefix" => Ok(Val::from(i64::from(network.prefix))),
        "previous_usable" if given.has_prefix && !single && network.ip == 0 => refuse("failed to detect a valid IP address from -1"),
        "previous_usable" => of_usable(&|_| neighbour(network.ip.wrapping_sub(1))),
        "private" => itself(!network.is_global()),
        "public" => itself(network.is_global() && !network.is_multicast()),
        "range_usable" => of_usable(&|(first, last)| Some(format!("{}-{}", network.show(first), network.show(last)))),
        "revdns" => Ok(Val::from(network.reverse_name())),
        "size" => Ok(Val::Plain(Value::int(network.size()))),
        "size_usable" => Ok(Val::Plain(Value::int(match network.host_bits() {
            0 => BigInt::ZERO,
            1 => network.size(),
            _ => network.size() - 2,
        }))),
        "type" => Ok(Val::from(if single || network.ip != network.first() { "address" } else { "network" })),
        "unicast" => itself(!network.is_multicast()),
        "v4" | "v6" => refuse(format!("_ip{query}_query() missing 1 required positional argument: 'value'")),
        "wrap" => Ok(if network.v6 { Val::from(wrapped(given)) } else { Val::from(given.text.as_str()) }),
        "6to4" => Ok(match network {
            Network { v6: true, .. } if network.is_in("2002::/16") => Val::from(given.text.as_str()),
            Network { v6: false, ip, .. } if !network.is_multicast() && (single || ip != network.first()) => {
                let byte = |shift: u32| ip >> shift & 255;
                Val::from(format!("2002:{:02x}{:02x}:{:02x}{:02x}::1/48", byte(24), byte(16), byte(8), byte(0)))
            }
            _ => Val::from(false),
        }),
        other => match (other.parse::<i128>(), Network::parse(other)) {
            (Ok(_), _) if single => Ok(Val::from(given.shown())),
            (Ok(index), _) => Ok(match network.nth(index) {
                Some(ip) => Val::from(Network { ip, ..network }.to_string()),
                None => Val::from(false),
            }),
            (Err(_), Some(outer)) => itself(outer.contains(network)),
            (Err(_), None) => match alias {
                Some(alias) => refuse(format!("{alias}: unknown filter type: {other}")),
                None => Err(TemplateError::plugin("unsupported operand type(s) for +: 'NoneType' and 'str'")
                    .with_hint(format!("`{other}` is no query of `ipaddr`"))),
            },
        },
    }
}

/// Where the addresses of IPv4 are in IPv6.
const MAPPED: u128 = 0xffff_0000_0000;
