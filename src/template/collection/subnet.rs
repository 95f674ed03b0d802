//! Filters of `ansible.utils` that count in networks: subnets, hosts, neighbours, merging.

use num_bigint::BigInt;

use super::network::Network;
use super::{filter, refuse, whole};
use crate::template::{Bound, Dict, Evaluator, Filter, Param, Result, Val};
use crate::value::{Key, Value};

use Param::{Optional, Required};

pub(super) const FILTERS: &[Filter] = &[
    filter("ansible.utils.cidr_merge", &[Optional("action")], cidr_merge),
    filter("ansible.utils.ip4_hex", &[Optional("delimiter")], ip4_hex),
    filter("ansible.utils.ipcut", &[Optional("amount")], ipcut),
    filter("ansible.utils.ipmath", &[Optional("amount")], ipmath),
    filter("ansible.utils.ipsubnet", &[Optional("query"), Optional("index")], ipsubnet),
    filter("ansible.utils.ipv6form", &[Required("format")], ipv6form),
    filter("ansible.utils.network_in_network", TEST, |evaluator, value, arguments| {
        let (outer, inner) = (parsed(evaluator, value)?, parsed(evaluator, arguments.required(0))?);
        Ok(Val::from(matches!((outer, inner), (Some(outer), Some(inner)) if outer.contains(inner))))
    }),
    filter("ansible.utils.network_in_usable", TEST, |evaluator, value, arguments| {
        let (outer, inner) = (parsed(evaluator, value)?, parsed(evaluator, arguments.required(0))?);
        let (Some(outer), Some(inner)) = (outer, inner) else { return Ok(Val::from(false)) };
        let (first, last) = outer.usable().unwrap_or((outer.ip, outer.ip));
        Ok(Val::from(outer.v6 == inner.v6 && first <= inner.first() && inner.last() <= last))
    }),
    filter("ansible.utils.next_nth_usable", OFFSET, |evaluator, value, arguments| nth_usable(evaluator, value, arguments, 1)),
    filter("ansible.utils.nthhost", &[Optional("query")], nthhost),
    filter("ansible.utils.previous_nth_usable", OFFSET, |evaluator, value, arguments| nth_usable(evaluator, value, arguments, -1)),
    filter("ansible.utils.reduce_on_network", &[Required("network")], reduce_on_network),
    filter("ansible.utils.slaac", &[Optional("query")], slaac),
    filter("ansible.utils.usable_range", &[], usable_range),
];

const TEST: &[Param] = &[Required("test")];
const OFFSET: &[Param] = &[Optional("offset")];

fn parsed(evaluator: &Evaluator, val: &Val) -> Result<Option<Network>> {
    Ok(Network::parse(evaluator.text(val)?.as_str()))
}

fn valid(evaluator: &Evaluator, val: &Val) -> Result<Network> {
    let text = evaluator.text(val)?;
    match Network::parse(text.as_str()) {
        Some(network) => Ok(network),
        None => refuse(format!("You must pass a valid IP address; {} is invalid", text.as_str())),
    }
}

fn ipmath(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let network = valid(evaluator, value)?;
    let Some(amount) = whole(evaluator, arguments, 0, "amount")? else {
        return refuse("You must pass an integer for arithmetic; None is not a valid integer");
    };
    let limit = if network.v6 { u128::MAX } else { u128::from(u32::MAX) };
    match network.ip.checked_add_signed(amount.into()).filter(|ip| *ip <= limit) {
        Some(ip) => Ok(Val::from(network.show(ip))),
        None => refuse("result outside valid IP address boundary!"),
    }
}

fn ipsubnet(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let Some(network) = parsed(evaluator, value)? else { return Ok(Val::from(false)) };
    let query = match arguments.get(0) {
        Some(query) if !query.is_none() && query.as_str() != Some("") => evaluator.text(query)?,
        _ => return Ok(Val::from(network.base().to_string())),
    };
    let index = whole(evaluator, arguments, 1, "index")?.map(i128::from);
    let shown = |ip: u128, prefix: u32| Ok(Val::from(Network { ip, prefix, ..network }.base().to_string()));
    let Ok(size) = query.as_str().parse::<u32>() else {
        let Some(outer) = Network::parse(query.as_str()) else {
            return refuse(format!("You must pass a valid subnet or IP address; {} is invalid", query.as_str()));
        };
        if !outer.contains(network) {
            return refuse(format!("{network} is not in the subnet {}", outer.base()));
        }
        let position = network.first() - outer.first();
        let position = if network.host_bits() == 128 { 0 } else { position >> network.host_bits() };
        return Ok(Val::from((BigInt::from(position) + 1_u8).to_string()));
    };
    if size > network.width() {
        return Ok(Val::from(false));
    }
    if network.host_bits() == 0 {
        // An address is asked for the networks around it.
        let count = i128::from(network.width() - size);
        let index = match index {
            None => return shown(network.ip, size),
            Some(index) if index < 0 => index + count,
            Some(index) => index,
        };
        return match u32::try_from(index) {
            Ok(step) if index < count => shown(network.ip, size + step),
            _ => Ok(Val::from(false)),
        };
    }
    if size < network.prefix {
        return refuse(format!("Requested subnet size of {size} is invalid"));
    }
    // Of the positions of subnets, as of addresses in a network that is as large as there are subnets.
    let bits = size - network.prefix;
    let Some(index) = index else { return Ok(Val::from((BigInt::from(1) << bits).to_string())) };
    let places = Network { v6: true, ip: 0, prefix: 128 - bits };
    match places.nth(index) {
        Some(place) => shown(network.first() + if size == 0 { 0 } else { place << (network.width() - size) }, size),
        None => Ok(Val::from(false)),
    }
}

fn nthhost(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let (Some(network), Some(index)) = (parsed(evaluator, value)?, whole(evaluator, arguments, 0, "query")?) else {
        return Ok(Val::from(false));
    };
    Ok(network.nth(index.into()).map_or(Val::from(false), |ip| Val::from(network.show(ip))))
}

fn nth_usable(evaluator: &Evaluator, value: &Val, arguments: &Bound, direction: i128) -> Result<Val> {
    let Some(offset) = whole(evaluator, arguments, 0, "offset")? else { return refuse("Must pass in an integer") };
    let Some(network) = parsed(evaluator, value)? else { return Ok(Val::from(false)) };
    let ip = network.ip.checked_add_signed(i128::from(offset) * direction);
    Ok(match (ip, network.usable()) {
        (Some(ip), Some((first, last))) if first <= ip && ip <= last => Val::from(network.show(ip)),
        _ => Val::NONE,
    })
}

fn reduce_on_network(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let network = parsed(evaluator, arguments.required(0))?;
    let items = if value.is_list() { evaluator.items(value)? } else { vec![value.clone()] };
    let mut kept = Vec::new();
    for item in items {
        if matches!((network, parsed(evaluator, &item)?), (Some(network), Some(item)) if network.contains(item)) {
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}

fn slaac(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let network = parsed(evaluator, value)?.filter(|network| network.v6);
    let mac = match arguments.get(0) {
        Some(mac) => super::hwaddr::parse(evaluator.text(mac)?.as_str()),
        None => None,
    };
    let (Some(network), Some(mac)) = (network, mac) else { return Ok(Val::from(false)) };
    let (vendor, device) = (u128::from(mac >> 24), u128::from(mac & 0xff_ffff));
    let host = (vendor ^ 0x02_0000) << 40 | 0xff_fe << 24 | device;
    Ok(Val::from(network.show(network.first().wrapping_add(host))))
}

fn ip4_hex(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let network = valid(evaluator, value)?;
    let delimiter = arguments.text(0)?.map_or("", |delimiter| delimiter.as_str());
    let bytes: Vec<String> = (0..4).rev().map(|byte| format!("{:02x}", network.ip >> (8 * byte) & 255)).collect();
    Ok(Val::from(bytes.join(delimiter)))
}

fn ipcut(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let network = valid(evaluator, value)?;
    let Some(amount) = whole(evaluator, arguments, 0, "amount")? else {
        return refuse("You must pass an integer for arithmetic; None is not a valid integer");
    };
    let width = network.width();
    let kept = u32::try_from(amount.unsigned_abs()).unwrap_or(width).min(width);
    let bits: String = (0..width).rev().map(|bit| if network.ip >> bit & 1 == 1 { '1' } else { '0' }).collect();
    let cut = if amount >= 0 { &bits[..kept as usize] } else { &bits[(width - kept) as usize..] };
    let group = if network.v6 { 16 } else { 8 };
    let numbers: Vec<String> = cut
        .as_bytes()
        .chunks(group)
        .map(|bits| {
            let number = bits.iter().fold(0_u32, |number, bit| number << 1 | u32::from(*bit == b'1'));
            if network.v6 { format!("{number:x}") } else { number.to_string() }
        })
        .collect();
    Ok(Val::from(numbers.join(if network.v6 { ":" } else { "." })))
}

fn ipv6form(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let format = evaluator.text(arguments.required(0))?;
    let format = format.as_str();
    if !matches!(format, "compress" | "expand" | "x509") {
        return refuse(format!("['value of format must be one of: compress, expand, x509, got: {format}']"));
    }
    let network = valid(evaluator, value)?;
    if !network.v6 || format == "compress" {
        return Ok(Val::from(network.show(network.ip)));
    }
    let groups: Vec<String> = (0..8)
        .rev()
        .map(|group| network.ip >> (16 * group) & 0xffff)
        .map(|group| if format == "expand" { format!("{group:04x}") } else { format!("{group:x}") })
        .collect();
    Ok(Val::from(groups.join(":")))
}

fn usable_range(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    let text = evaluator.text(value)?;
    let failed = |what: &str| refuse(format!("Error while using plugin 'usable_range': {}{what}", text.as_str()));
    let Some(network) = Network::parse(text.as_str()) else {
        return refuse(format!(
            "Error while using plugin 'usable_range': '{}' does not appear to be an IPv4 or IPv6 network",
            text.as_str()
        ));
    };
    if network.ip != network.first() {
        return failed(" has host bits set");
    }
    evaluator.charge(usize::try_from(network.hostmask()).unwrap_or(usize::MAX).saturating_mul(64))?;
    let ips: Vec<Val> = (network.first()..=network.last()).map(|ip| Val::from(network.show(ip))).collect();
    let mut range = Dict::new();
    let count = Val::from(ips.len());
    range.insert(Key::from("usable_ips"), Val::list(ips));
    range.insert(Key::from("number_of_ips"), count);
    Ok(Val::dict(range))
}

fn cidr_merge(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let items = if value.is_list() { evaluator.items(value)? } else { vec![value.clone()] };
    let spans = match arguments.text(0)?.map_or("merge", |action| action.as_str()) {
        "merge" => false,
        "span" => true,
        other => return refuse(format!("cidr_merge: invalid action '{other}'")),
    };
    let mut networks = Vec::new();
    for item in &items {
        let text = evaluator.text(item)?;
        match Network::parse(text.as_str()) {
            Some(network) => networks.push(network),
            None => return refuse(format!("cidr_merge: error in netaddr:\ninvalid IPNetwork {}", text.as_str())),
        }
    }
    if !spans {
        let merged = if let [one] = networks.as_slice() { vec![*one] } else { merge(networks) };
        return Ok(Val::list(merged.iter().map(|network| Val::from(network.to_string())).collect()));
    }
    let Some(first) = networks.first().copied() else { return Ok(Val::Plain(Value::Null)) };
    if networks.iter().any(|network| network.v6 != first.v6) {
        return refuse("cidr_merge: error in netaddr:\nIP sequence cannot contain both IPv4 and IPv6!");
    }
    let mut span = if networks.len() == 1 { first } else { first.base() };
    while !networks.iter().all(|network| span.contains(*network)) {
        span = Network { prefix: span.prefix - 1, ..span }.base();
    }
    Ok(Val::from(span.to_string()))
}

/// The fewest networks that are all of these.
fn merge(networks: Vec<Network>) -> Vec<Network> {
    let mut networks: Vec<Network> = networks.into_iter().map(Network::base).collect();
    networks.sort_by_key(|network| (network.v6, network.ip, network.prefix));
    let mut merged: Vec<Network> = Vec::new();
    for network in networks {
        if merged.last().is_some_and(|last| last.contains(network)) {
            continue;
        }
        merged.push(network);
        while let [.., left, right] = merged[..] {
            let parent = Network { prefix: left.prefix.saturating_sub(1), ..left }.base();
            let siblings = left.v6 == right.v6 && left.prefix == right.prefix && left.prefix > 0 && left != right && parent.contains(right);
            if !siblings || parent.ip != left.ip {
                break;
            }
            merged.truncate(merged.len() - 2);
            merged.push(parent);
        }
    }
    merged
}
