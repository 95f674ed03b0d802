//! `gather_subset`: which collectors are asked for.

use super::{COLLECTORS, Collector};
use crate::{Failure, Result};

/// The collectors of a `gather_subset`, in the table's order. Without any wish that is the minimal ones, but for those that are refused.
pub fn resolve(subset: &[String]) -> Result<Vec<&'static Collector>> {
    let minimal = || COLLECTORS.iter().filter(|collector| collector.minimal).map(|collector| collector.name);
    let mut wanted: Vec<&str> = minimal().collect();
    let mut refused: Vec<&str> = Vec::new();
    let mut explicit: Vec<&str> = Vec::new();
    if subset.is_empty() {
        wanted.extend(members("all")?);
    }
    for word in subset {
        match (word.strip_prefix('!'), word.as_str()) {
            (Some("all"), _) => refused.extend(COLLECTORS.iter().filter(|collector| !collector.minimal).map(|collector| collector.name)),
            (Some("min"), _) => refused.extend(minimal()),
            // A name of a part alone, or one that nobody knows, leaves nothing out.
            (Some(name), _) => refused.push(name),
            (None, "all" | "min") => wanted.extend(members(word)?),
            (None, _) => explicit.extend(members(word)?),
        }
    }
    wanted.retain(|name| !refused.contains(name));
    wanted.extend(explicit);
    for index in 0.. {
        let Some(name) = wanted.get(index) else { break };
        let needs = COLLECTORS.iter().find(|collector| collector.name == *name).map_or(&[][..], |collector| collector.needs);
        wanted.extend(needs);
    }
    Ok(COLLECTORS.iter().filter(|collector| wanted.contains(&collector.name)).collect())
}

/// The collectors that a name means.
fn members(name: &str) -> Result<Vec<&'static str>> {
    let of = |wanted: &dyn Fn(&Collector) -> bool| {
        COLLECTORS.iter().filter(|collector| wanted(collector)).map(|collector| collector.name).collect()
    };
    match name {
        "all" => Ok(of(&|_| true)),
        "min" => Ok(of(&|collector| collector.minimal)),
        // Other programs' facts, where these programs are there; here they never are.
        "facter" | "ohai" => Ok(Vec::new()),
        _ => {
            let members: Vec<&str> = of(&|collector| collector.name == name || collector.names.contains(&name));
            if members.is_empty() { Err(unknown(name)) } else { Ok(members) }
        }
    }
}

fn unknown(word: &str) -> Failure {
    let mut names: Vec<&str> =
        COLLECTORS.iter().flat_map(|collector| std::iter::once(&collector.name).chain(collector.names)).copied().collect();
    names.extend(["all", "facter", "ohai"]);
    names.sort_unstable();
    Failure::new(format!("Bad subset '{word}' given to Ansible. gather_subset options allowed: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Vec<&'static str> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        resolve(&words).unwrap().iter().map(|collector| collector.name).collect()
    }

    #[test]
    fn subsets_are_ansibles() {
        assert_eq!(names(&["all"]).len(), COLLECTORS.len());
        assert_eq!(names(&["!all", "!min", "virtual"]), ["virtual"]);
        assert_eq!(names(&["!all", "!min", "interfaces"]), ["distribution", "network", "platform"]);
        assert_eq!(names(&["!all", "!min"]), [""; 0]);
        assert!(names(&["!all"]).contains(&"user") && !names(&["!all"]).contains(&"hardware"));
        assert_eq!(names(&["!hardware"]), names(&["min"]));
        assert_eq!(names(&["!interfaces", "!nosuch"]), names(&["min"]));
        assert_eq!(names(&["all", "!interfaces"]).len(), COLLECTORS.len());
        assert!(names(&["all", "!hardware"]).contains(&"network") && !names(&["all", "!hardware"]).contains(&"hardware"));
        assert_eq!(names(&["!min"]), [""; 0]);
        assert_eq!(names(&["!min", "env"]), ["env"]);
        assert_eq!(names(&["!all", "!min", "env", "!env"]), ["env"]);
        assert_eq!(names(&[]).len(), COLLECTORS.len());
        assert!(names(&["network"]).contains(&"env") && !names(&["network"]).contains(&"hardware"));
        assert!(resolve(&["bogus".to_owned()]).is_err() && resolve(&[" network".to_owned()]).is_err());
    }
}
