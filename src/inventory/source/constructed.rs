//! `constructed`: variables and groups computed from what earlier sources said.

use super::compose::Composition;
use super::plugin_file::PluginFile;
use super::{Builder, Candidate, Failure, Plugin};

/// `constructed`
pub(super) struct Constructed;

impl Plugin for Constructed {
    fn name(&self) -> &'static str {
        "constructed"
    }

    fn takes(&self, candidate: &Candidate<'_>) -> bool {
        candidate.is_plugin_file()
    }

    fn read(&self, candidate: &Candidate<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        let file = PluginFile::read("constructed", &["constructed", "ansible.builtin.constructed"], candidate)?;
        let composition = Composition::read(&file, builder)?;
        let hosts: Vec<_> = builder.inventory.host_ids().collect();
        composition.apply(&hosts, &|_| None, builder)
    }
}
