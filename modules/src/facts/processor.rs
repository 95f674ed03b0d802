//! Processors, as /proc/cpuinfo shows them.

use std::collections::BTreeMap;

use super::{Facts, set, text_of};
use crate::Json;

pub(super) fn collect(facts: &mut Facts) {
    let Some(text) = text_of("/proc/cpuinfo") else { return };
    let mut named: Vec<Json> = Vec::new();
    let mut flags: Option<Vec<Json>> = None;
    // Of each socket: its cores and threads; of each core by socket: nothing but that it is there.
    let mut cores: BTreeMap<String, u64> = BTreeMap::new();
    let mut siblings: BTreeMap<String, u64> = BTreeMap::new();
    let (mut count, mut models, mut socket) = (0u64, 0u64, String::new());
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim())) {
        match name {
            "processor" => {
                count += 1;
                named.push(value.into());
            }
            "model name" | "Model" | "Processor" | "vendor_id" | "cpu" | "Vendor" => {
                models += u64::from(matches!(name, "model name" | "Processor" | "cpu"));
                named.push(value.into());
            }
            "physical id" => value.clone_into(&mut socket),
            "cpu cores" => {
                cores.insert(socket.clone(), value.parse().unwrap_or(1));
            }
            "siblings" => {
                siblings.insert(socket.clone(), value.parse().unwrap_or(1));
            }
            "flags" | "Features" if flags.is_none() => flags = Some(value.split_whitespace().map(Json::from).collect()),
            _ => {}
        }
    }
    let vcpus = count.max(models).max(1);
    set(facts, "processor", named);
    let sockets = u64::try_from(cores.len()).unwrap_or(1);
    if sockets == 0 {
        set(facts, "processor_count", vcpus);
        set(facts, "processor_cores", 1);
        set(facts, "processor_threads_per_core", 1);
        set(facts, "processor_vcpus", vcpus);
    } else {
        let per_socket = cores.values().next().copied().unwrap_or(1).max(1);
        let threads = (siblings.values().next().copied().unwrap_or(per_socket) / per_socket).max(1);
        set(facts, "processor_count", sockets);
        set(facts, "processor_cores", per_socket);
        set(facts, "processor_threads_per_core", threads);
        set(facts, "processor_vcpus", threads * sockets * per_socket);
    }
    set(facts, "processor_nproc", std::thread::available_parallelism().map_or(vcpus, |count| count.get() as u64));
    if let Some(flags) = flags {
        set(facts, "flags", flags);
    }
}
