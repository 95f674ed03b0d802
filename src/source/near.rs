//! Names that are near to what the user wrote.

use driftless_modules::spec::distance;

/// The name among `names` that is nearest to what the user wrote, if it is near enough to be meant.
pub fn did_you_mean<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (written.chars().count() / 3).max(1);
    names.into_iter().map(|name| (distance(written, name), name)).filter(|(far, _)| *far <= limit).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_meant_and_far_ones_are_not() {
        let names = || ["hosts", "register", "tasks", "vars"].into_iter();
        assert_eq!(did_you_mean("tsks", names()), Some("tasks"));
        assert_eq!(did_you_mean("regsiter", names()), Some("register"));
        assert_eq!(did_you_mean("frobnicate", names()), None);
    }
}
