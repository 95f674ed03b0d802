//! Mounted file systems that stand on a device or come over the network.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use super::{Facts, names_in, set, text_of};
use crate::{Json, JsonMap};

/// A server that does not answer keeps nobody waiting for longer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn collect(facts: &mut Facts) {
    let table = text_of("/etc/mtab").or_else(|| text_of("/proc/mounts")).unwrap_or_default();
    let binds = binds();
    let mounts: Vec<Json> = table.lines().filter_map(|line| mount(line, &binds)).collect();
    set(facts, "mounts", mounts);
}

fn mount(line: &str, binds: &[String]) -> Option<Json> {
    let fields: Vec<String> = line.split_whitespace().map(unescape).collect();
    let [device, at, kind, options, dump, passno] = &fields[..] else { return None };
    if (!device.starts_with(['/', '\\']) && !device.contains(":/")) || kind == "none" {
        return None;
    }
    let mut options = options.clone();
    if binds.contains(at) && !options.split(',').any(|option| option == "bind") {
        options.push_str(",bind");
    }
    let mut map = JsonMap::new();
    let mut put = |name: &str, value: Json| map.insert(name.to_owned(), value);
    put("mount", at.as_str().into());
    put("device", device.as_str().into());
    put("fstype", kind.as_str().into());
    put("options", options.into());
    put("dump", dump.parse::<i64>().unwrap_or(0).into());
    put("passno", passno.parse::<i64>().unwrap_or(0).into());
    match sizes(at) {
        Sizes::Known(sizes) => map.extend(sizes),
        Sizes::Unknown => {}
        Sizes::NoAnswer => {
            map.insert("note".to_owned(), "Could not get extra information due to timeout".into());
        }
    }
    map.insert("uuid".to_owned(), uuid(device).unwrap_or_else(|| "N/A".to_owned()).into());
    Some(map.into())
}

enum Sizes {
    Known(JsonMap),
    Unknown,
    NoAnswer,
}

fn sizes(at: &str) -> Sizes {
    let (sender, receiver) = mpsc::channel();
    let path = at.to_owned();
    std::thread::spawn(move || {
        // Nobody may be waiting any more.
        let _ = sender.send(rustix::fs::statvfs(path.as_str()));
    });
    let stat = match receiver.recv_timeout(PATIENCE) {
        Ok(Ok(stat)) => stat,
        Ok(Err(_)) => return Sizes::Unknown,
        Err(_) => return Sizes::NoAnswer,
    };
    let entries = [
        ("size_total", stat.f_frsize * stat.f_blocks),
        ("size_available", stat.f_frsize * stat.f_bavail),
        ("block_size", stat.f_bsize),
        ("block_total", stat.f_blocks),
        ("block_available", stat.f_bavail),
        ("block_used", stat.f_blocks.saturating_sub(stat.f_bavail)),
        ("inode_total", stat.f_files),
        ("inode_available", stat.f_favail),
        ("inode_used", stat.f_files.saturating_sub(stat.f_favail)),
    ];
    Sizes::Known(entries.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
}

/// Where something else than a whole file system is mounted.
fn binds() -> Vec<String> {
    let text = text_of("/proc/self/mountinfo").unwrap_or_default();
    let fields = text.lines().map(|line| line.split(' ').collect::<Vec<_>>()).filter(|fields| fields.len() > 4 && fields[3] != "/");
    fields.map(|fields| unescape(fields[4])).collect()
}

fn uuid(device: &str) -> Option<String> {
    let wanted = Path::new(device).canonicalize().ok()?;
    let folder = Path::new("/dev/disk/by-uuid");
    names_in(folder).into_iter().find(|name| folder.join(name).canonicalize().is_ok_and(|path| path == wanted))
}

/// The kernel writes blanks and backslashes in octal: `\040`.
fn unescape(field: &str) -> String {
    let mut text = String::new();
    let mut rest = field;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        match rest.get(at + 1..at + 4).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                text.push(char::from(byte));
                rest = &rest[at + 4..];
            }
            None => {
                text.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn blanks_in_paths_are_read() {
        assert_eq!(super::unescape(r"/a\040b\134c"), r"/a b\c");
        assert_eq!(super::unescape(r"/a\"), r"/a\");
    }
}
