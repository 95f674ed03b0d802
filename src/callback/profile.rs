//! `timer`, `profile_tasks`, `profile_roles`: how long things took.

use std::time::{Duration, Instant};

use super::Callback;
use crate::display::{Display, Role};
use crate::event::{Event, TaskInfo};

/// `timer`.
pub(super) struct Timer {
    start: Instant,
}

impl Timer {
    pub(super) fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Callback for Timer {
    fn event(&mut self, event: &Event, display: &mut Display) {
        if let Event::Stats(_) = event {
            let seconds = self.start.elapsed().as_secs();
            let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60);
            display.banner("PLAYBOOK RECAP");
            display.line(&format!("Playbook run took {days} days, {hours} hours, {minutes} minutes, {} seconds\n", seconds % 60));
        }
    }
}

/// `profile_tasks` and `profile_roles`.
pub(super) struct Profile {
    by_role: bool,
    begin: Instant,
    last: Instant,
    /// What took how long, in the order it began.
    spans: Vec<(String, Duration)>,
    current: Option<String>,
}

/// So many are shown in the end.
const AT_MOST: usize = 20;

impl Profile {
    pub(super) fn of_tasks() -> Self {
        Self::new(false)
    }

    pub(super) fn of_roles() -> Self {
        Self::new(true)
    }

    fn new(by_role: bool) -> Self {
        let now = Instant::now();
        Self { by_role, begin: now, last: now, spans: Vec::new(), current: None }
    }

    /// The time goes to what ran until now.
    fn settle(&mut self) -> Duration {
        let now = Instant::now();
        let took = now - self.last;
        self.last = now;
        if let Some(name) = self.current.take() {
            match self.spans.iter_mut().find(|(known, _)| self.by_role && *known == name) {
                Some((_, sum)) => *sum += took,
                None => self.spans.push((name, took)),
            }
        }
        took
    }

    fn stamp(&self, took: Duration) -> String {
        let now = jiff::Zoned::now().strftime("%A %d %B %Y  %H:%M:%S %z");
        let clock = |time: Duration| {
            let seconds = time.as_secs();
            format!("{}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, time.subsec_millis())
        };
        filled(&format!("{now} ({}) {:>17}", clock(took), clock(self.last - self.begin)), '*')
    }

    fn task(&mut self, task: &TaskInfo, display: &mut Display) {
        let took = self.settle();
        let role = || task.role.as_deref().unwrap_or_else(|| task.action.rsplit('.').next().unwrap_or(&task.action)).to_owned();
        self.current = Some(if self.by_role { role() } else { task.name.to_string() });
        let stamp = self.stamp(took);
        display.coloured(Role::Plain, &stamp);
    }

    fn recap(&mut self, display: &mut Display) {
        let took = self.settle();
        let stamp = self.stamp(took);
        display.banner(if self.by_role { "ROLES RECAP" } else { "TASKS RECAP" });
        display.line(&stamp);
        display.line(&filled("", '='));
        self.spans.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
        let most = if self.by_role { usize::MAX } else { AT_MOST };
        for (name, took) in self.spans.iter().take(most) {
            display.line(&dashed(name, *took));
        }
        if self.by_role {
            display.line(&filled("", '~'));
            display.line(&dashed("total", self.spans.iter().map(|(_, took)| *took).sum()));
        }
    }
}

impl Callback for Profile {
    fn event(&mut self, event: &Event, display: &mut Display) {
        match event {
            Event::TaskStart(task) => self.task(task, display),
            Event::Stats(_) => self.recap(display),
            _ => {}
        }
    }
}

/// The text, filled up to column 79.
fn filled(text: &str, with: char) -> String {
    let text = if text.is_empty() { String::new() } else { format!("{text} ") };
    let rest = 79usize.saturating_sub(text.chars().count());
    format!("{text}{} ", with.to_string().repeat(rest))
}

/// `name ----- 1.23s`
fn dashed(name: &str, took: Duration) -> String {
    let time = format!(" {:.02}s", took.as_secs_f64());
    let width = 79usize.saturating_sub(time.len());
    let name = format!("{name} ");
    format!("{name}{}{time}", "-".repeat(width.saturating_sub(name.chars().count())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_those_of_ansible() {
        assert_eq!(dashed("task one", Duration::from_millis(1716)), format!("task one {} 1.72s", "-".repeat(64)));
        assert_eq!(filled("", '='), format!("{} ", "=".repeat(79)));
    }
}
