//! `platform`: kernel, machine, names.

use std::fs;
use std::time::Duration;

use super::{Facts, Look, python, set, text_of};
use crate::Host;

/// A name server that does not answer keeps nobody waiting for longer.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn collect(look: &mut Look, facts: &mut Facts) {
    let uname = rustix::system::uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let (nodename, machine) = (text(uname.nodename()), text(uname.machine()));
    let fqdn = full_name(look.host, &nodename);
    set(facts, "system", text(uname.sysname()));
    set(facts, "kernel", text(uname.release()));
    set(facts, "kernel_version", text(uname.version()));
    set(facts, "machine", machine.clone());
    if let Some(version) = python::probe(look).and_then(|python| python.get("python_version").cloned()) {
        set(facts, "python_version", version);
    }
    set(facts, "domain", fqdn.split_once('.').map_or("", |(_, domain)| domain));
    set(facts, "fqdn", fqdn);
    set(facts, "hostname", nodename.split('.').next().unwrap_or_default());
    set(facts, "nodename", nodename);
    let bits = userspace_bits();
    set(facts, "userspace_bits", bits);
    match machine.as_str() {
        "x86_64" => {
            set(facts, "architecture", machine);
            set(facts, "userspace_architecture", if bits == "64" { "x86_64" } else { "i386" });
        }
        "i386" | "i486" | "i586" | "i686" => {
            set(facts, "architecture", "i386");
            set(facts, "userspace_architecture", "i386");
        }
        _ => set(facts, "architecture", machine),
    }
    if let Some(id) = text_of("/var/lib/dbus/machine-id").or_else(|| text_of("/etc/machine-id")) {
        set(facts, "machine_id", id.lines().next().unwrap_or_default());
    }
}

/// What programs of the host are made for, as the shell's own file says.
fn userspace_bits() -> &'static str {
    let header = fs::File::open("/bin/sh").and_then(|mut file| {
        let mut header = [0u8; 5];
        std::io::Read::read_exact(&mut file, &mut header)?;
        Ok(header)
    });
    if header.is_ok_and(|header| header[..4] == *b"\x7fELF" && header[4] == 1) { "32" } else { "64" }
}

/// The host's full name: the first of its names that has a dot, else its canonical one.
pub(crate) fn full_name(host: &Host, nodename: &str) -> String {
    let names = host_names(host, nodename).unwrap_or_default();
    let dotted = names.iter().find(|name| name.contains('.'));
    dotted.or(names.first()).cloned().unwrap_or_else(|| nodename.to_owned())
}

/// The names of the address that `nodename` has.
fn host_names(host: &Host, nodename: &str) -> Option<Vec<String>> {
    let hosts = text_of("/etc/hosts").unwrap_or_default();
    let lines: Vec<Vec<&str>> = hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>())
        .filter(|words: &Vec<&str>| words.len() > 1)
        .collect();
    let own = |text: &[&str]| text.iter().map(|name| (*name).to_owned()).collect();
    if let Some(line) = lines.iter().find(|words| words[1..].iter().any(|name| name.eq_ignore_ascii_case(nodename))) {
        let first = lines.iter().find(|words| words[0] == line[0])?;
        return Some(own(&first[1..]));
    }
    let command = host.command(host.find_program("getent")?).args(["hosts", nodename]).timeout(PATIENCE);
    let found = host.query(&command).ok().filter(crate::host::Output::succeeded)?.stdout();
    let words: Vec<&str> = found.lines().next()?.split_whitespace().collect();
    words.get(1..).filter(|names| !names.is_empty()).map(own)
}
