//! `--tags` and `--skip-tags`: which tasks they choose.

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct TagFilter {
    /// `--tags`; empty is `all`.
    pub only: Vec<String>,
    /// `--skip-tags`.
    pub skip: Vec<String>,
}

impl TagFilter {
    /// Whether a task with these tags is to run.
    pub fn runs(&self, tags: &[String]) -> bool {
        self.is_chosen(tags) && !self.is_skipped(tags)
    }

    fn is_chosen(&self, tags: &[String]) -> bool {
        let has = |tag: &str| tags.iter().any(|own| own == tag);
        let asked = |tag: &str| self.only.is_empty() && tag == "all" || self.only.iter().any(|only| only == tag);
        let named = tags.iter().any(|tag| self.only.contains(tag));
        if has("always") || (asked("all") && !has("never")) || named {
            return true;
        }
        if asked("tagged") && !tags.is_empty() && !has("never") {
            return true;
        }
        asked("untagged") && tags.is_empty()
    }

    fn is_skipped(&self, tags: &[String]) -> bool {
        let skips = |tag: &str| self.skip.iter().any(|skip| skip == tag);
        let always = tags.iter().any(|tag| tag == "always");
        if skips("all") {
            return !always || skips("always");
        }
        if tags.iter().any(|tag| skips(tag)) {
            return true;
        }
        (skips("tagged") && !tags.is_empty()) || (skips("untagged") && tags.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(only: &str, skip: &str, tags: &str, runs: bool) {
        let list = |text: &str| text.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let filter = TagFilter { only: list(only), skip: list(skip) };
        assert_eq!(filter.runs(&list(tags)), runs, "--tags {only} --skip-tags {skip} on {tags}");
    }

    #[test]
    fn tags_choose_as_in_ansible() {
        check("", "", "", true);
        check("", "", "never", false);
        check("never", "", "never", true);
        check("a", "", "b", false);
        check("a", "", "b,a", true);
        check("a", "", "always", true);
        check("a", "always", "always", false);
        check("tagged", "", "", false);
        check("untagged", "", "", true);
        check("", "a", "a,b", false);
        check("", "tagged", "", true);
        check("all", "all", "always", true);
        check("x", "", "never,x", true);
    }
}
