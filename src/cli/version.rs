//! `--version` of a program that is called by a name of Ansible's: its first line is what scripts read.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::session::{Exit, Session};
use crate::config::Config;
use crate::source::absolute;
use crate::vars::ANSIBLE_VERSION;

/// Shows it.
pub fn run(called: &OsStr) -> u8 {
    match Session::with_config(None) {
        Ok(mut session) => {
            let text = text(Path::new(called), &session.config);
            session.display.line(&text);
            0
        }
        Err(Exit(code)) => code,
    }
}

fn text(called: &Path, config: &Config) -> String {
    let name = called.file_name().unwrap_or_default().to_string_lossy();
    let mut text = format!("{name} [core {}]", ANSIBLE_VERSION.0);
    let mut line = |what: &str, value: &str| _ = write!(text, "\n  {what} = {value}");
    line("driftless version", env!("CARGO_PKG_VERSION"));
    let shown = |path: &PathBuf| path.display().to_string();
    line("config file", &config.file.as_ref().map_or_else(|| "None".to_owned(), shown));
    let collections: Vec<String> = config.collections_path.value.0.iter().map(shown).collect();
    line("ansible collection location", &collections.join(":"));
    line("executable location", &found(called).display().to_string());
    text
}

/// Where the program lies that was called.
fn found(called: &Path) -> PathBuf {
    if called.components().count() > 1 {
        return absolute(called);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(called)).find(|path| path.is_file()).unwrap_or_else(|| called.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Surroundings;
    use crate::source::Diagnostics;

    #[test]
    fn scripts_find_the_version_of_ansible_in_the_first_line() {
        let config = Config::load(&Surroundings::default(), &mut Diagnostics::new());
        let shown = text(Path::new("/usr/bin/ansible-playbook"), &config);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "ansible-playbook [core 2.21.5]");
        assert_eq!(lines[1], format!("  driftless version = {}", env!("CARGO_PKG_VERSION")));
        assert_eq!(lines[4], "  executable location = /usr/bin/ansible-playbook");
    }
}
