//! The table of modules, and how one is found and run by its name.

use std::sync::OnceLock;

use crate::module::{HandedOn, Module, spec_of};
use crate::spec::{ArgError, Args, OPTIONS, Spec, Support};
use crate::{Failure, Host, Json, JsonMap, Outcome};

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
    if let Some(choose) = M::HANDS_ON
        && let Some(Json::Object(options)) = args.shift_remove(OPTIONS)
    {
        return hand_on(choose(options, host)?, host);
    }
    let args = M::Args::read(&mut args, host.environment()).map_err(Failure::new)?;
    M::run(args, host)
}

fn hand_on(handed: HandedOn, host: &mut Host) -> crate::Result<Outcome> {
    let module = find(handed.module).ok_or_else(|| Failure::new(format!("the module `{}` is not there", handed.module)))?;
    let first = |errors: Vec<ArgError>| Failure::new(errors.into_iter().next().map(|error| error.message).unwrap_or_default());
    let checked = module.spec().check_own(&handed.called, &handed.options).map_err(first)?;
    checked.secrets.into_iter().for_each(|secret| host.hide(secret));
    checked.warnings.into_iter().for_each(|warning| host.warn(warning));
    (module.start)(checked.args, host)
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
