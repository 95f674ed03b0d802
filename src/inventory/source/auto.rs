//! `auto`: a YAML file with `plugin:` is the file of that plugin.

use super::{Builder, Candidate, Failure, Plugin, plugin_file};

/// `auto`
pub(super) struct Auto;

impl Plugin for Auto {
    fn name(&self) -> &'static str {
        "auto"
    }

    fn takes(&self, candidate: &Candidate<'_>) -> bool {
        candidate.is_file() && matches!(candidate.extension().as_str(), ".yml" | ".yaml")
    }

    fn read(&self, candidate: &Candidate<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        let shown = candidate.path.display();
        let (document, _) = candidate.document()?;
        let Some(named) = document.and_then(plugin_file::named_plugin) else {
            return Err(format!("no root 'plugin' key found, '{shown}' is not a valid YAML inventory plugin config file").into());
        };
        let name = named.as_str().unwrap_or_else(|| named.span.text());
        let found = super::plugin(name).filter(|plugin| plugin.name() != self.name());
        let Some(plugin) = found else {
            let error = named.error(format!("inventory config '{shown}' specifies unknown plugin '{name}'"));
            return Err(error.hint(known()).into());
        };
        if !plugin.takes(candidate) {
            return Err(format!("inventory source '{shown}' could not be verified by inventory plugin '{name}'").into());
        }
        plugin.read(candidate, builder)
    }
}

/// What the plugins of clouds can be replaced by.
fn known() -> String {
    let names: Vec<&str> = super::PLUGINS.iter().map(|plugin| plugin.name()).collect();
    format!("these are there: {}; an executable script can stand for any other", names.join(", "))
}
