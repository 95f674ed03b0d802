//! The retry file: the hosts that failed, for `--limit @FILE`.

use std::path::PathBuf;

use super::Callback;
use crate::display::Display;
use crate::event::Event;

/// Writes it when the run ends.
pub(super) struct Retry {
    folder: Option<PathBuf>,
    playbook: PathBuf,
}

impl Retry {
    /// Into this folder; beside the playbook where none is named.
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, playbook: PathBuf::new() }
    }

    fn write(&self, hosts: &[&str]) -> std::io::Result<PathBuf> {
        let beside = std::path::absolute(&self.playbook)?.parent().map(PathBuf::from).unwrap_or_default();
        let folder = self.folder.clone().unwrap_or(beside);
        std::fs::create_dir_all(&folder)?;
        let name = self.playbook.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let path = folder.join(format!("{name}.retry"));
        std::fs::write(&path, hosts.iter().map(|host| format!("{host}\n")).collect::<String>())?;
        Ok(path)
    }
}

impl Callback for Retry {
    fn event(&mut self, event: &Event, display: &mut Display) {
        match event {
            Event::PlaybookStart { path, .. } => self.playbook.clone_from(path),
            Event::Stats(stats) => {
                let failed: Vec<&str> =
                    stats.hosts().filter(|(_, row)| row.failed + row.unreachable > 0).map(|(host, _)| &**host).collect();
                if failed.is_empty() {
                    return;
                }
                match self.write(&failed) {
                    Ok(path) => display.line(&format!("\tto retry, use: --limit @{}", path.display())),
                    Err(error) => display.warning(&format!("Could not create retry file '{}': {error}", self.playbook.display())),
                }
            }
            _ => {}
        }
    }
}
