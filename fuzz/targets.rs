//! What each fuzz target does with its bytes. Any bytes may come; nothing may panic. `tests/fuzz_corpora.rs` replays the corpora.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use driftless::inventory::{self, HostPattern, Inventory, SourceOptions};
use driftless::source::{Diagnostics, Source, render};
use driftless::template::{Context, Engine, FileOptions, NoNames, NoWorld, Templar};
use driftless::value::{Text, Value};
use driftless::vault::{Envelope, Vault, VaultSecret};
use driftless::{vars, yaml};
use driftless_modules::registry;
use driftless_wire::{Decoder, Frame};

/// Documents, and every diagnostic drawn.
pub fn yaml(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut diagnostics = Diagnostics::new();
    for node in yaml::load(&Source::named("fuzz.yml", text), &mut diagnostics) {
        let _ = node.to_value();
    }
    draw(&diagnostics);
}

/// Templates with nothing around them: as a file, whose first line may say how it is read, as a value and as an expression.
pub fn template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // These run programs and read files of the machine that fuzzes.
    if text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| matches!(word, "lookup" | "query" | "q")) {
        return;
    }
    let context = Context::of_playbook(PathBuf::from("/nonexistent"), Arc::new(NoWorld));
    let templar = Templar::new(&Arc::new(Engine::new()), Arc::new(NoNames), Arc::new(context));
    let file = Source::file(Path::new("fuzz.j2"), text.to_owned());
    let _ = templar.render_file(&file, &FileOptions::default());
    let text = Text::trusted(text, None);
    // An error is as good an end as any.
    let _ = templar.render(&Value::Text(text.clone()));
    let _ = templar.expression(&text);
}

/// The first byte chooses the format.
pub fn inventory(bytes: &[u8]) {
    let Some((format, rest)) = bytes.split_first() else { return };
    let name = if format % 2 == 0 { "hosts.ini" } else { "hosts.yml" };
    let folder = tempfile::tempdir().expect("a folder for temporary files is there");
    std::fs::write(folder.path().join(name), rest).expect("a temporary file can be written");
    load(name, folder.path());
}

/// Sources of other kinds: the first byte chooses. Templates in plugins' files are not rendered, since they run programs.
pub fn source(bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt as _;
    let Some((kind, rest)) = bytes.split_first() else { return };
    let folder = tempfile::tempdir().expect("a folder for temporary files is there");
    let name = ["hosts.toml", "hosts.json", "terraform.tfstate", "plugin.yml", "script"][usize::from(*kind) % 5];
    let path = folder.path().join(name);
    let data = if name == "script" { folder.path().join("output") } else { path.clone() };
    std::fs::write(&data, rest).expect("a temporary file can be written");
    if name == "script" {
        std::fs::write(&path, "#!/bin/sh\nexec cat \"${0%/*}/output\"\n").expect("a temporary file can be written");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, executable).expect("a temporary file can be made executable");
    }
    load(name, folder.path());
}

fn load(name: &str, folder: &Path) {
    let mut diagnostics = Diagnostics::new();
    let loaded = inventory::load(&[name.to_owned()], folder, &SourceOptions::default(), &mut diagnostics);
    for group in loaded.group_ids() {
        let _ = loaded.hosts_of(group);
    }
    draw(&diagnostics);
}

/// Host patterns over a few hosts.
pub fn pattern(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut hosts = Inventory::new();
    for name in ["web1", "web2", "db1", "2001:db8::1"] {
        let host = hosts.add_host(name);
        let group = hosts.add_group(name.trim_end_matches(char::is_numeric));
        hosts.add_host_to_group(host, group);
    }
    hosts.settle();
    let mut diagnostics = Diagnostics::new();
    // A wrong pattern is an error, and that is all that is asked of it.
    let _ = HostPattern::parse(text).resolve(&hosts, &mut diagnostics);
    draw(&diagnostics);
}

/// Bytes as they come off a connection: in one piece and one by one they are the same frames.
pub fn frame(bytes: &[u8]) {
    let mut whole = Decoder::new();
    whole.feed(bytes);
    let at_once = drain(&mut whole);
    let mut slow = Decoder::new();
    let mut one_by_one = Vec::new();
    for byte in bytes {
        slow.feed(&[*byte]);
        one_by_one.extend(drain(&mut slow));
    }
    assert_eq!(at_once, one_by_one);
}

/// Envelopes: what is taken apart and put together again is the same, and no secret opens what nobody sealed.
pub fn vault(bytes: &[u8]) {
    if let Ok(envelope) = Envelope::parse(bytes) {
        // The id of a vault of version 1.1 is not written, and an id may have been cut off by blanks.
        let again = Envelope::parse(envelope.to_text().as_bytes());
        assert!(
            again.is_ok_and(|again| (again.salt, again.signature, again.content) == (envelope.salt, envelope.signature, envelope.content))
        );
    }
    let vault = Vault::of(VaultSecret::new(*b"secret"));
    // Opening makes keys ten thousand rounds long: only short ones are tried.
    if bytes.len() < 600 {
        let _ = vault.open(bytes);
        if let Ok(text) = std::str::from_utf8(bytes) {
            let _ = vault.open_text(&Text::sealed(text, None));
        }
    }
}

/// Free-form arguments, and every module's check of JSON arguments.
pub fn args(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = vars::key_values(text, None);
    let _ = vars::split_words(text);
    if let Ok(serde_json::Value::Object(arguments)) = serde_json::from_str(text) {
        for module in registry::all() {
            let _ = module.spec().check(&arguments);
        }
    }
}

/// Frames until more is wanted or the stream is dead.
fn drain(decoder: &mut Decoder) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = decoder.next_frame() {
        frames.push(frame);
    }
    frames
}

fn draw(diagnostics: &Diagnostics) {
    for diagnostic in diagnostics.iter() {
        let _ = render(diagnostic, &|_, text| text.to_owned());
    }
}
