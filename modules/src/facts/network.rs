//! Name servers, and the host's names in storage networks.

use std::path::Path;

use super::{Facts, Look, names_in, set, text_of};
use crate::{Json, JsonMap};

pub(super) fn dns(_: &mut Look, facts: &mut Facts) {
    let mut dns = JsonMap::new();
    for line in text_of("/etc/resolv.conf").unwrap_or_default().lines() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else { continue };
        match name {
            "nameserver" => {
                let servers = dns.entry("nameservers").or_insert_with(|| Json::Array(Vec::new()));
                servers.as_array_mut().expect("it was made a list").extend(words.map(Json::from));
            }
            "domain" => {
                if let Some(domain) = words.next() {
                    dns.insert("domain".to_owned(), domain.into());
                }
            }
            "search" | "sortlist" => {
                dns.insert(name.to_owned(), words.map(Json::from).collect());
            }
            "options" => {
                let options: JsonMap = words
                    .map(|word| match word.split_once(':') {
                        Some((option, value)) => (option.to_owned(), Json::from(value)),
                        None => (word.to_owned(), Json::Bool(true)),
                    })
                    .collect();
                dns.insert(name.to_owned(), options.into());
            }
            _ => {}
        }
    }
    set(facts, "dns", dns);
}

pub(super) fn fibre_channel(_: &mut Look, facts: &mut Facts) {
    let names = names_in("/sys/class/fc_host").into_iter();
    let wwns: Vec<Json> = names
        .filter_map(|host| text_of(Path::new("/sys/class/fc_host").join(host).join("port_name")))
        .map(|name| Json::from(name.strip_prefix("0x").unwrap_or(&name)))
        .collect();
    set(facts, "fibre_channel_wwn", wwns);
}

pub(super) fn iscsi(_: &mut Look, facts: &mut Facts) {
    let text = text_of("/etc/iscsi/initiatorname.iscsi").unwrap_or_default();
    let name = text.lines().find_map(|line| line.trim().strip_prefix("InitiatorName=")).unwrap_or_default();
    set(facts, "iscsi_iqn", name);
}

pub(super) fn nvme(_: &mut Look, facts: &mut Facts) {
    let text = text_of("/etc/nvme/hostnqn").unwrap_or_default();
    let name = text.lines().find(|line| line.starts_with("nqn.")).unwrap_or_default();
    set(facts, "hostnqn", name);
}
