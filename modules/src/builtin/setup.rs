//! `setup`: facts about the host.

use std::path::PathBuf;
use std::time::Duration;

use driftless_macros::Args;

use crate::facts;
use crate::host::glob;
use crate::{Host, Json, JsonMap, Module, Outcome, Result};

/// The module.
pub struct Setup;

/// Its options.
#[derive(Args)]
pub struct SetupArgs {
    /// The folder of the host's own facts: files whose names end in `.fact`.
    #[arg(default = "/etc/ansible/facts.d")]
    fact_path: PathBuf,
    /// Patterns of the facts to return, with or without `ansible_`; none: all.
    #[arg(default = [])]
    filter: Vec<String>,
    /// Groups of facts to look for; `!` leaves one out.
    #[arg(default = "all")]
    gather_subset: Vec<String>,
    /// Seconds that one look may take.
    #[arg(default = 10)]
    gather_timeout: i64,
}

impl Module for Setup {
    type Args = SetupArgs;
    const NAME: &'static str = "setup";
    const SUMMARY: &'static str = "Gather facts about the host";
    const RETURNS_FACTS: bool = true;
    const EXAMPLES: &'static [&'static str] = &["setup:\n  gather_subset: ['!all', network]\n  filter: ansible_default_ipv4"];

    fn run(args: SetupArgs, host: &mut Host) -> Result<Outcome> {
        let collectors = facts::resolve(&args.gather_subset)?;
        let timeout = Duration::from_secs(u64::try_from(args.gather_timeout).unwrap_or(0).max(1));
        let found = facts::gather(host, args.fact_path, timeout, &collectors);
        let is_wanted = |name: &str| {
            let patterns = args.filter.iter().filter(|pattern| !pattern.is_empty()).collect::<Vec<_>>();
            let plain = name.strip_prefix("ansible_").unwrap_or(name);
            patterns.is_empty() || patterns.iter().any(|pattern| glob::matches(pattern, name) || glob::matches(pattern, plain))
        };
        let mut named: JsonMap =
            found.into_iter().map(|(name, value)| (format!("ansible_{name}"), value)).filter(|(name, _)| is_wanted(name)).collect();
        if args.filter.iter().all(String::is_empty) {
            let subset = if args.gather_subset.is_empty() { vec!["all".to_owned()] } else { args.gather_subset };
            named.insert("gather_subset".to_owned(), subset.into_iter().map(Json::from).collect());
            named.insert("module_setup".to_owned(), true.into());
        }
        Ok(Outcome::new(false).with("ansible_facts", named))
    }
}

#[cfg(test)]
mod tests {
    use crate::laws::Law;
    use serde_json::json;

    #[test]
    fn facts_are_filtered() {
        let law = Law::of("setup");
        law.write("facts.d/a.fact", "[s]\nk = v\n");
        law.write("facts.d/b.fact", "#!/bin/sh\necho '{\"x\": 1}'\n");
        law.chmod("facts.d/b.fact", 0o755);
        let outcome = law.unchanged(json!({"gather_subset": ["!all"], "filter": ["ansible_loc*"], "fact_path": law.path("facts.d")}));
        assert_eq!(outcome.get("ansible_facts"), Some(&json!({"ansible_local": {"a": {"s": {"k": "v"}}, "b": {"x": 1}}})));
    }

    #[test]
    fn all_facts_are_gathered() {
        let law = Law::of("setup");
        let outcome = law.unchanged(json!({}));
        let facts = outcome.get("ansible_facts").unwrap();
        for name in ["distribution", "kernel", "memtotal_mb", "processor_vcpus", "interfaces", "date_time", "env", "user_id", "mounts"] {
            assert!(facts.get(format!("ansible_{name}")).is_some(), "{name}");
        }
        assert_eq!(facts["module_setup"], true);
        law.fails(json!({"gather_subset": ["nope"]}), "Bad subset 'nope' given to Ansible.");
    }
}
