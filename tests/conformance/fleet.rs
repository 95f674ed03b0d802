//! Hosts of the fleet for the cases that want a real one: each case gets it as it was after its first boot.
//! The cases were recorded on twins with Python; driftless runs on both.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value;

/// A host that a case may spoil.
pub struct Host {
    pub address: String,
    /// The fleet's own inventory: keys and known hosts.
    pub inventory: String,
    name: String,
}

/// Whether this program runs among the fleet's hosts.
pub fn is_around_us() -> bool {
    std::env::var_os("DRIFTLESS_FLEET_HOSTS").is_some()
}

/// The images that a golden's kind speaks for.
pub fn images_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "debian" => &["debian", "python"],
        "trixie" => &["trixie", "trixiepy"],
        "openrc" => &["openrc", "openrcpy"],
        "dnf" => &["dnf"],
        _ => &[],
    }
}

/// Resets the last host of the image and hands it over; nobody else gets it meanwhile.
pub fn with_fresh_host<T>(image: &str, work: impl FnOnce(&Host) -> T) -> Result<T, String> {
    static LOCKS: OnceLock<Mutex<HashMap<String, Arc<Mutex<()>>>>> = OnceLock::new();
    let lock = {
        let mut locks = LOCKS.get_or_init(Mutex::default).lock().expect("nobody panics with it");
        Arc::clone(locks.entry(image.to_owned()).or_default())
    };
    // A case that panicked left nothing that the reset does not mend.
    let _turn = lock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("`{name}` is not set"));
    let hosts = std::fs::read_to_string(variable("DRIFTLESS_FLEET_HOSTS")?).map_err(|error| error.to_string())?;
    let hosts: Vec<Value> = serde_json::from_str(&hosts).map_err(|error| error.to_string())?;
    let found = hosts.iter().rfind(|host| host["image"] == image).ok_or_else(|| format!("the fleet has no host of kind `{image}`"))?;
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    let host = Host { address: text("addr"), inventory: variable("DRIFTLESS_FLEET_INVENTORY")?, name: text("name") };
    let mut reset = Command::new(variable("DRIFTLESS_FLEET")?);
    let status = reset.args(["reset", &host.name]).stdout(Stdio::null()).status().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("`fleet reset {}`: {status}", host.name));
    }
    Ok(work(&host))
}
