//! Network interfaces, their addresses, and the ways out of the host. Addresses are asked of `ip`, the rest of the kernel's files.

use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::json;

use super::{Facts, Look, names_in, set, text_of};
use crate::{Json, JsonMap};

const CLASS: &str = "/sys/class/net";

pub(super) fn collect(look: &mut Look, facts: &mut Facts) {
    let mut interfaces: Vec<(String, JsonMap)> = names_in(CLASS)
        .into_iter()
        .filter(|name| Path::new(CLASS).join(name).is_dir())
        .map(|name| {
            let entry = link(&name);
            (name, entry)
        })
        .collect();
    let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
    let ways = [way_out(look, "-4", "8.8.8.8"), way_out(look, "-6", "2404:6800:400a:800::1012")];
    let mut defaults = ways.each_ref().map(|way| way.as_ref().map(Way::fact).unwrap_or_default());
    for address in look.ask("ip", &["-o", "addr"]).unwrap_or_default().lines().filter_map(Address::parse) {
        if address.is_ipv4 {
            // An address may have a name of its own, as an interface beside the interface.
            let at = if address.label.is_empty() { &address.interface } else { &address.label };
            let index = interfaces.iter().position(|(name, _)| name == at).unwrap_or_else(|| {
                interfaces.push((at.clone(), JsonMap::new()));
                interfaces.len() - 1
            });
            let entry = address.ipv4_fact();
            let map = &mut interfaces[index].1;
            if map.contains_key("ipv4") {
                let more = map.entry("ipv4_secondaries").or_insert_with(|| Json::Array(Vec::new()));
                more.as_array_mut().expect("it was made a list").push(entry.clone().into());
            } else {
                map.insert("ipv4".to_owned(), entry.clone().into());
            }
            if ways[0].as_ref().is_some_and(|way| way.source == address.address) {
                defaults[0].extend(entry);
                defaults[0].insert("alias".to_owned(), at.clone().into());
                add_link(&mut defaults[0], &address.interface);
            }
            if !address.address.starts_with("127.") {
                ipv4.push(Json::from(address.address));
            }
        } else {
            let Some((_, map)) = interfaces.iter_mut().find(|(name, _)| *name == address.interface) else { continue };
            let entry = json!({"address": address.address, "prefix": address.prefix, "scope": address.scope});
            let list = map.entry("ipv6").or_insert_with(|| Json::Array(Vec::new()));
            list.as_array_mut().expect("it was made a list").push(entry);
            if ways[1].as_ref().is_some_and(|way| way.source == address.address) {
                defaults[1].insert("prefix".to_owned(), address.prefix.clone().into());
                defaults[1].insert("scope".to_owned(), address.scope.clone().into());
                add_link(&mut defaults[1], &address.interface);
            }
            if address.address != "::1" {
                ipv6.push(Json::from(address.address));
            }
        }
    }
    set(facts, "interfaces", interfaces.iter().map(|(name, _)| Json::from(name.as_str())).collect::<Vec<_>>());
    for (name, map) in interfaces {
        set(facts, &name.replace([':', '-'], "_"), map);
    }
    let [default_ipv4, default_ipv6] = defaults;
    set(facts, "default_ipv4", default_ipv4);
    set(facts, "default_ipv6", default_ipv6);
    set(facts, "all_ipv4_addresses", ipv4);
    set(facts, "all_ipv6_addresses", ipv6);
    let reachable = json!({"ipv4": reachable(look, "-4"), "ipv6": reachable(look, "-6")});
    set(facts, "locally_reachable_ips", reachable);
}

/// An interface as the kernel's files show it.
fn link(name: &str) -> JsonMap {
    let folder = Path::new(CLASS).join(name);
    let read = |file: &str| text_of(folder.join(file));
    let mut map = JsonMap::new();
    let mut put = |key: &str, value: Json| map.insert(key.to_owned(), value);
    put("device", name.into());
    if let Some(address) = read("address").filter(|address| address != "00:00:00:00:00:00") {
        put("macaddress", address.into());
    }
    if let Some(mtu) = read("mtu").and_then(|mtu| mtu.parse::<i64>().ok()) {
        put("mtu", mtu.into());
    }
    if let Some(state) = read("operstate") {
        put("active", (state != "down").into());
    }
    let base = |link: &str| Some(std::fs::read_link(folder.join(link)).ok()?.file_name()?.to_string_lossy().into_owned());
    if let Some(module) = base("device/driver/module") {
        put("module", module.into());
    }
    let kind = match read("type").as_deref() {
        Some("1") => "ether",
        Some("32") => "infiniband",
        Some("512") => "ppp",
        Some("772") => "loopback",
        Some("65534") => "tunnel",
        _ => "unknown",
    };
    put("type", kind.into());
    if folder.join("bridge").is_dir() {
        put("type", "bridge".into());
        put("interfaces", names_in(folder.join("brif")).into());
        put("id", read("bridge/bridge_id").unwrap_or_default().into());
        put("stp", (read("bridge/stp_state").as_deref() == Some("1")).into());
    }
    if folder.join("bonding").is_dir() {
        put("type", "bonding".into());
        let list = read("bonding/slaves").unwrap_or_default();
        put("slaves", list.split_whitespace().map(Json::from).collect());
        let first = |file: &str| read(file).unwrap_or_default().split_whitespace().next().unwrap_or_default().to_owned();
        put("mode", first("bonding/mode").into());
        put("miimon", first("bonding/miimon").into());
        put("lacp_rate", first("bonding/lacp_rate").into());
        if let Some(primary) = read("bonding/primary") {
            put("primary", primary.into());
        }
        put("all_slaves_active", (read("bonding/all_slaves_active").as_deref() == Some("1")).into());
    }
    if let Some(id) = base("device") {
        put("pciid", id.into());
    }
    if let Some(speed) = read("speed").and_then(|speed| speed.parse::<i64>().ok()) {
        put("speed", speed.into());
    }
    let flags = read("flags").and_then(|flags| u32::from_str_radix(flags.trim_start_matches("0x"), 16).ok()).unwrap_or(0);
    // IFF_PROMISC
    put("promisc", (flags & 0x100 != 0).into());
    map
}

/// What the default address says of its interface.
fn add_link(default: &mut JsonMap, interface: &str) {
    let entry = link(interface);
    for key in ["macaddress", "mtu", "type"] {
        if let Some(value) = entry.get(key) {
            default.insert(key.to_owned(), value.clone());
        }
    }
}

/// How a packet leaves the host.
struct Way {
    interface: String,
    source: String,
    gateway: Option<String>,
}

impl Way {
    fn fact(&self) -> JsonMap {
        let mut map = JsonMap::new();
        if let Some(gateway) = &self.gateway {
            map.insert("gateway".to_owned(), gateway.as_str().into());
        }
        map.insert("interface".to_owned(), self.interface.as_str().into());
        map.insert("address".to_owned(), self.source.as_str().into());
        map
    }
}

fn way_out(look: &Look, family: &str, target: &str) -> Option<Way> {
    let text = look.ask("ip", &[family, "route", "get", target])?;
    let words: Vec<&str> = text.lines().next()?.split_whitespace().collect();
    let after = |name: &str| words.iter().position(|word| *word == name).and_then(|at| words.get(at + 1)).map(|word| (*word).to_owned());
    (words.first() == Some(&target)).then_some(())?;
    Some(Way { interface: after("dev")?, source: after("src")?, gateway: after("via") })
}

/// Addresses and networks that this host answers for.
fn reachable(look: &Look, family: &str) -> Vec<String> {
    let text = look.ask("ip", &[family, "route", "show", "table", "local"]).unwrap_or_default();
    let mut found: Vec<String> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words.first() == Some(&"local"))
        .filter_map(|words| words.get(1).map(|address| (*address).to_owned()))
        .collect();
    found.sort();
    found.dedup();
    found
}

/// A line of `ip -o addr`.
#[derive(Debug, PartialEq)]
struct Address {
    interface: String,
    is_ipv4: bool,
    address: String,
    prefix: String,
    broadcast: String,
    scope: String,
    label: String,
}

impl Address {
    fn parse(line: &str) -> Option<Self> {
        let line = line.split('\\').next()?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, interface, family, address, ..] = words[..] else { return None };
        let is_ipv4 = match family {
            "inet" => true,
            "inet6" => false,
            _ => return None,
        };
        let after = |name: &str| words.iter().position(|word| *word == name).and_then(|at| words.get(at + 1)).copied().unwrap_or_default();
        let (address, prefix) = address.split_once('/').unwrap_or((address, if is_ipv4 { "32" } else { "128" }));
        let last = words.last().filter(|_| is_ipv4).copied().unwrap_or_default();
        // The label ends the line; behind the scope's name may stand words such as `dynamic` before it.
        let label = if last.starts_with(&format!("{interface}:")) { last.to_owned() } else { String::new() };
        Some(Self {
            interface: interface.trim_end_matches(':').to_owned(),
            is_ipv4,
            address: address.to_owned(),
            prefix: prefix.to_owned(),
            broadcast: after("brd").to_owned(),
            scope: after("scope").to_owned(),
            label,
        })
    }

    fn ipv4_fact(&self) -> JsonMap {
        let bits = self.prefix.parse::<u32>().unwrap_or(32).min(32);
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        let network = self.address.parse::<Ipv4Addr>().map(|address| Ipv4Addr::from_bits(address.to_bits() & mask).to_string());
        let entries = [
            ("address", self.address.clone()),
            ("broadcast", self.broadcast.clone()),
            ("netmask", Ipv4Addr::from_bits(mask).to_string()),
            ("network", network.unwrap_or_default()),
            ("prefix", self.prefix.clone()),
        ];
        entries.into_iter().map(|(name, value)| (name.to_owned(), Json::String(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_ip_and_of_busybox_are_read() {
        let address =
            Address::parse("2: eth0    inet 192.0.2.2/24 brd 192.0.2.255 scope global dynamic eth0:1\\   valid_lft forever").unwrap();
        assert_eq!((address.interface.as_str(), address.label.as_str(), address.scope.as_str()), ("eth0", "eth0:1", "global"));
        assert_eq!(address.ipv4_fact()["network"], "192.0.2.0");
        let address = Address::parse("1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft forever").unwrap();
        assert_eq!((address.is_ipv4, address.prefix.as_str()), (false, "128"));
        assert_eq!(Address::parse("1: lo: <LOOPBACK,UP> mtu 65536"), None);
    }
}
