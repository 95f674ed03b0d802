//! The running system: its command line, load, uptime, and whether this is a chroot.

use std::os::unix::fs::MetadataExt;

use super::{Facts, Look, set, text_of};
use crate::host::words;
use crate::{Json, JsonMap};

pub(super) fn cmdline(_: &mut Look, facts: &mut Facts) {
    let Some(line) = text_of("/proc/cmdline") else { return };
    let mut last = JsonMap::new();
    let mut all = JsonMap::new();
    for word in words::split(&line).unwrap_or_else(|_| line.split_whitespace().map(str::to_owned).collect()) {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Json::from(value)),
            None => (word, Json::Bool(true)),
        };
        last.insert(name.clone(), value.clone());
        match all.get_mut(&name) {
            Some(Json::Array(values)) => values.push(value),
            Some(first) => *first = Json::Array(vec![first.take(), value]),
            None => {
                all.insert(name, value);
            }
        }
    }
    set(facts, "cmdline", last);
    set(facts, "proc_cmdline", all);
}

pub(super) fn load(_: &mut Look, facts: &mut Facts) {
    // The kernel's own numbers, as `getloadavg` has them: fixed point with 16 bits behind the point.
    let loads = rustix::system::sysinfo().loads;
    #[allow(clippy::cast_precision_loss, reason = "loads are small")]
    let loads = loads.map(|load| load as f64 / 65536.0);
    let map: JsonMap = ["1m", "5m", "15m"].iter().zip(loads).map(|(name, load)| ((*name).to_owned(), Json::from(load))).collect();
    set(facts, "loadavg", map);
}

pub(super) fn uptime(facts: &mut Facts) {
    let Some(seconds) = text_of("/proc/uptime").and_then(|text| text.split('.').next()?.parse::<u64>().ok()) else { return };
    set(facts, "uptime_seconds", seconds);
}

pub(super) fn chroot(look: &mut Look, facts: &mut Facts) {
    let marked = look.host.environment().get("debian_chroot").is_some_and(|value| !value.is_empty());
    let own = std::fs::metadata("/").map(|root| (root.dev(), root.ino()));
    // Only root may look through the first process's eyes.
    let first = std::fs::metadata("/proc/1/root/.").map(|root| (root.dev(), root.ino()));
    let is_chroot = match (own, first) {
        (Ok(own), Ok(first)) => own != first,
        (Ok((_, inode)), Err(_)) => {
            let kind = text_of("/proc/mounts").unwrap_or_default();
            let kind = kind.lines().filter_map(|line| line.split(' ').nth(1).zip(line.split(' ').nth(2))).rfind(|(at, _)| *at == "/");
            inode
                != match kind {
                    Some((_, "btrfs")) => 256,
                    Some((_, "xfs")) => 128,
                    _ => 2,
                }
        }
        (Err(_), _) => false,
    };
    set(facts, "is_chroot", marked || is_chroot);
}
