//! Block devices, what points at them, and logical volumes.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::{Facts, Look, names_in, set, text_of};
use crate::{Json, JsonMap};

const BLOCK: &str = "/sys/block";

pub(super) fn collect(facts: &mut Facts) {
    let links = Links::of_host();
    let mut devices = JsonMap::new();
    for name in names_in(BLOCK) {
        let folder = Path::new(BLOCK).join(&name);
        let device = device(&name, &folder, &links);
        devices.insert(name, device);
    }
    set(facts, "devices", devices);
    set(facts, "device_links", links.fact());
}

pub(super) fn lvm(look: &mut Look, facts: &mut Facts) {
    let is_root = rustix::process::getuid().is_root();
    let fields = |program: &str, columns: &str| -> Option<Vec<Vec<String>>> {
        let args = ["--noheadings", "--nosuffix", "--units", "g", "--separator", ",", "-o", columns];
        let text = look.ask(program, &args)?;
        Some(text.lines().map(|line| line.trim().split(',').map(str::to_owned).collect()).collect())
    };
    let found = is_root.then(|| {
        let (mut vgs, mut lvs, mut pvs) = (JsonMap::new(), JsonMap::new(), JsonMap::new());
        for row in fields("vgs", "vg_name,pv_count,lv_count,snap_count,vg_attr,vg_size,vg_free")? {
            if let [name, pv_count, lv_count, _, _, size, free] = &row[..] {
                vgs.insert(name.clone(), json!({"size_g": size, "free_g": free, "num_lvs": lv_count, "num_pvs": pv_count, "lvs": {}}));
            }
        }
        for row in fields("lvs", "lv_name,vg_name,lv_attr,lv_size")? {
            if let [name, group, _, size] = &row[..] {
                lvs.insert(name.clone(), json!({"size_g": size, "vg": group}));
                if let Some(volumes) = vgs.get_mut(group).and_then(|group| group.get_mut("lvs")) {
                    volumes[name] = json!({"size_g": size});
                }
            }
        }
        for row in fields("pvs", "pv_name,vg_name,pv_fmt,pv_attr,pv_size,pv_free")? {
            if let [name, group, _, _, size, free] = &row[..] {
                pvs.insert(name.clone(), json!({"size_g": size, "free_g": free, "vg": group}));
            }
        }
        Some(json!({"lvs": lvs, "vgs": vgs, "pvs": pvs}))
    });
    set(facts, "lvm", found.flatten().unwrap_or_else(|| "N/A".into()));
}

fn device(name: &str, folder: &Path, links: &Links) -> Json {
    let read = |file: &str| text_of(folder.join(file));
    let sector_size = read("queue/logical_block_size").or_else(|| read("queue/hw_sector_size")).unwrap_or_else(|| "512".to_owned());
    let sectors = read("size").and_then(|size| size.parse::<u64>().ok()).unwrap_or(0);
    let partitions: JsonMap = names_in(folder)
        .into_iter()
        .filter(|inner| inner.starts_with(name) && folder.join(inner).join("start").exists())
        .map(|inner| {
            let partition = partition(&inner, &folder.join(&inner), links, &sector_size);
            (inner, partition)
        })
        .collect();
    let scheduler = read("queue/scheduler").unwrap_or_default();
    let scheduler = scheduler.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("", |(mode, _)| mode).to_owned();
    let scheduler = if scheduler.is_empty() && read("queue/scheduler").as_deref() == Some("none") { "none".to_owned() } else { scheduler };
    json!({
        "virtual": 1,
        "links": links.of(name),
        "vendor": read("device/vendor"),
        "model": read("device/model"),
        "sas_address": read("device/sas_address"),
        "sas_device_handle": read("device/sas_device_handle"),
        "removable": read("removable"),
        "support_discard": read("queue/discard_granularity"),
        "partitions": partitions,
        "rotational": read("queue/rotational"),
        "scheduler_mode": scheduler,
        "sectors": sectors,
        "sectorsize": sector_size,
        "size": shown_size(sectors * 512),
        "host": "",
        "holders": holders(folder),
    })
}

fn partition(name: &str, folder: &Path, links: &Links, sector_size: &str) -> Json {
    let sectors = text_of(folder.join("size")).and_then(|size| size.parse::<u64>().ok()).unwrap_or(0);
    let links_of = links.of(name);
    let uuid = links_of["uuids"].get(0).cloned().unwrap_or(Json::Null);
    json!({
        "links": links_of,
        "start": text_of(folder.join("start")).unwrap_or_else(|| "0".to_owned()),
        "sectors": sectors,
        "sectorsize": sector_size,
        "size": shown_size(sectors * 512),
        "uuid": uuid,
        "holders": holders(folder),
    })
}

/// Who stands on a device: mapped devices by their names too.
fn holders(folder: &Path) -> Vec<String> {
    names_in(folder.join("holders"))
        .into_iter()
        .map(|holder| match text_of(Path::new(BLOCK).join(&holder).join("dm/name")) {
            Some(name) if holder.starts_with("dm-") => name,
            _ => holder,
        })
        .collect()
}

/// A size for people: `1.00 GB`.
fn shown_size(bytes: u64) -> String {
    const UNITS: &[(&str, u64)] = &[("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)];
    let (unit, scale) = UNITS.iter().find(|(_, scale)| bytes >= *scale).copied().unwrap_or(("Bytes", 1));
    #[allow(clippy::cast_precision_loss, reason = "two digits are shown")]
    let size = bytes as f64 / scale as f64;
    format!("{size:.2} {unit}")
}

/// The names that udev gives to devices, and which devices are below others.
struct Links {
    ids: BTreeMap<String, Vec<String>>,
    uuids: BTreeMap<String, Vec<String>>,
    labels: BTreeMap<String, Vec<String>>,
    masters: BTreeMap<String, Vec<String>>,
}

impl Links {
    fn of_host() -> Self {
        let by = |kind: &str| {
            let folder = Path::new("/dev/disk").join(kind);
            let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for name in names_in(&folder) {
                let target = std::fs::read_link(folder.join(&name)).ok();
                if let Some(device) = target.as_deref().and_then(Path::file_name) {
                    map.entry(device.to_string_lossy().into_owned()).or_default().push(name);
                }
            }
            map
        };
        let mut masters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in names_in(BLOCK) {
            for below in names_in(Path::new(BLOCK).join(&name).join("slaves")) {
                masters.entry(below).or_default().push(name.clone());
            }
        }
        Self { ids: by("by-id"), uuids: by("by-uuid"), labels: by("by-label"), masters }
    }

    fn of(&self, device: &str) -> Json {
        let of = |map: &BTreeMap<String, Vec<String>>| map.get(device).cloned().unwrap_or_default();
        json!({"ids": of(&self.ids), "uuids": of(&self.uuids), "labels": of(&self.labels), "masters": of(&self.masters)})
    }

    fn fact(&self) -> Json {
        json!({"ids": self.ids, "uuids": self.uuids, "labels": self.labels, "masters": self.masters})
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_shown_with_two_digits() {
        assert_eq!(super::shown_size(1 << 30), "1.00 GB");
        assert_eq!(super::shown_size(0), "0.00 Bytes");
        assert_eq!(super::shown_size(1536), "1.50 KB");
    }
}
