//! The table of modules, and how one is found and run by its name.

use std::sync::OnceLock;

use crate::module::{Module, spec_of};
use crate::spec::{Args, Spec, Support};
use crate::{Failure, Host, JsonMap, Outcome};

/// A module whose options' type is not known to the caller.
#[derive(Debug)]
pub struct ErasedModule {
    name: &'static str,
    declare: fn() -> Spec,
    start: fn(JsonMap, &mut Host) -> crate::Result<Outcome>,
    spec: OnceLock<Spec>,
}

impl ErasedModule {
    /// The entry of `M`.
    pub const fn of<M: Module>() -> Self {
        Self { name: M::NAME, declare: spec_of::<M>, start: start::<M>, spec: OnceLock::new() }
    }

    /// Its name, without a collection.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it says of itself.
    pub fn spec(&self) -> &Spec {
        self.spec.get_or_init(self.declare)
    }

    /// Starts it with checked arguments, for a module that hands its work on: that one's own end follows.
    pub(crate) fn start(&self, args: JsonMap, host: &mut Host) -> crate::Result<Outcome> {
        (self.start)(args, host)
    }

    /// Runs it with checked arguments (see [`Spec::check`]). A failure is an outcome like any other; a panic is the caller's to catch.
    pub fn run(&self, args: JsonMap, host: &mut Host) -> Outcome {
        let outcome = if host.is_checking() && self.spec().check == Support::None {
            host.skipped_in_check_mode(self.name)
        } else {
            (self.start)(args, host).unwrap_or_else(|failure| failure.into_outcome())
        };
        host.finish(outcome)
    }
}

fn start<M: Module>(mut args: JsonMap, host: &mut Host) -> crate::Result<Outcome> {
    let args = M::Args::read(&mut args, host.environment()).map_err(Failure::new)?;
    M::run(args, host)
}

/// The module called `name`, without its collection.
pub fn find(name: &str) -> Option<&'static ErasedModule> {
    let modules = &crate::MODULES;
    modules.binary_search_by(|module| module.name.cmp(name)).ok().map(|index| &modules[index])
}

/// All modules, sorted by name.
pub fn all() -> &'static [ErasedModule] {
    &crate::MODULES
}

/// Declares the table. The lines are sorted by the modules' names, which a test holds.
macro_rules! modules {
    ($($module:path),* $(,)?) => {
        /// Every module, sorted by name.
        static MODULES: [registry::ErasedModule; [$(stringify!($module)),*].len()] = [$(registry::ErasedModule::of::<$module>()),*];
    };
}

pub(crate) use modules;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_sorted() {
        let names: Vec<&str> = all().iter().map(ErasedModule::name).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    }

    #[test]
    fn every_module_and_option_is_documented() {
        for module in all() {
            let spec = module.spec();
            assert!(!spec.summary.is_empty(), "{}", spec.name);
            for opt in spec.table.options.iter().filter(|opt| !opt.is_internal()) {
                assert!(!opt.doc.is_empty(), "`{}` of `{}` has no doc comment", opt.name, spec.name);
            }
        }
    }

    #[test]
    fn no_option_has_two_meanings() {
        for module in all() {
            let spec = module.spec();
            let mut seen = BTreeSet::new();
            for opt in &spec.table.options {
                for name in std::iter::once(&opt.name).chain(opt.aliases) {
                    assert!(seen.insert(*name), "`{name}` of `{}` is there twice", spec.name);
                }
            }
            for (missing, _) in spec.missing {
                assert!(!seen.contains(missing), "`{missing}` of `{}` is not missing", spec.name);
            }
        }
    }

    #[test]
    fn defaults_are_right_values() {
        for module in all() {
            for opt in &module.spec().table.options {
                let Some(default) = &opt.default else { continue };
                if !opt.choices.is_empty()
                    && let Some(text) = default.as_str()
                {
                    assert!(opt.choices.contains(&text), "default of `{}` of `{}`", opt.name, module.name());
                }
            }
        }
    }
}
