//! `--tags` and `--skip-tags`: which tasks they choose.

use std::sync::Arc;

use super::Executor;
use crate::playbook::{Meta, Play, Task, Work};
use crate::source::Diagnostic;
use crate::template::Templar;
use crate::value::Value;

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

/// Whether a task's tags are asked for; tags may be templates over what is known without a host.
pub(super) fn task_is_tagged(executor: &Executor<'_>, play: &Arc<Play>, task: &Task) -> Result<bool, Diagnostic> {
    if task.implicit
        && let Work::Meta(meta) = &task.work
    {
        return Ok(meta.value != Meta::FlushHandlers || !executor.options.tags.is_skipped(&["always".to_owned()]));
    }
    Ok(executor.options.tags.runs(&tags_of(executor, play, task)?))
}

/// What is wrong with the first tag among those of these tasks that cannot be rendered.
pub(super) fn wrong_tag(executor: &Executor<'_>, play: &Play, tasks: &[&Arc<Task>]) -> Option<Diagnostic> {
    let templated = tasks.iter().filter(|task| task.keywords.tags.iter().any(|tag| Templar::is_template(&tag.value)));
    templated.map(|task| tags_of(executor, play, task)).find_map(Result::err)
}

fn tags_of(executor: &Executor<'_>, play: &Play, task: &Task) -> Result<Vec<String>, Diagnostic> {
    let mut tags = Vec::new();
    for written in &task.keywords.tags {
        if !Templar::is_template(&written.value) {
            tags.extend(names_in(&written.value));
            continue;
        }
        let mut layers = vec![Arc::clone(&play.vars)];
        layers.extend(task.role().into_iter().flat_map(|role| [role.default_layers(), role.var_layers()].concat()));
        layers.extend(task.keywords.vars.iter().cloned());
        layers.push(executor.vars.extra_vars());
        let context = Arc::new(executor.template_context(&play.dir, Vec::new()));
        let rendered = super::static_scope::render(&executor.shared.engine, &context, &written.value, layers);
        tags.extend(names_in(&rendered.map_err(|error| error.to_diagnostic_at(&written.span))?));
    }
    Ok(tags)
}

/// The tags that a value holds. What is no text is a tag that nobody can ask for by name.
fn names_in(value: &Value) -> Vec<String> {
    let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    value.as_list().map_or_else(|| vec![name(value)], |items| items.iter().map(name).collect())
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
