//! Memory and swap.

use serde_json::json;

use super::{Facts, set, text_of};

pub(super) fn collect(facts: &mut Facts) {
    let Some(text) = text_of("/proc/meminfo") else { return };
    let megabytes = |name: &str| -> i64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|rest| rest.split_whitespace().next()?.parse::<i64>().ok()).unwrap_or(0) / 1024
    };
    let (total, free) = (megabytes("MemTotal"), megabytes("MemFree"));
    let (swap_total, swap_free) = (megabytes("SwapTotal"), megabytes("SwapFree"));
    let not_cache = free + megabytes("Cached") + megabytes("Buffers");
    set(facts, "memtotal_mb", total);
    set(facts, "memfree_mb", free);
    set(facts, "swaptotal_mb", swap_total);
    set(facts, "swapfree_mb", swap_free);
    let memory = json!({
        "real": {"total": total, "used": total - free, "free": free},
        "nocache": {"free": not_cache, "used": total - not_cache},
        "swap": {"total": swap_total, "free": swap_free, "used": swap_total - swap_free, "cached": megabytes("SwapCached")},
    });
    set(facts, "memory_mb", memory);
}
