//! `KEYWORDS`: every keyword of a playbook, where it may stand and how it is passed on to what is inside. Parsing, "not valid
//! here", "did you mean" and inheritance all read this one table.

use std::fmt;

/// Where a keyword may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An entry of a playbook.
    Play,
    /// An entry of `roles:`.
    Role,
    /// `block:` with its rescue and always.
    Block,
    /// An entry of `tasks:`.
    Task,
    /// An entry of `handlers:`.
    Handler,
    /// `loop_control:`.
    LoopControl,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Play => "Play",
            Self::Role => "RoleInclude",
            Self::Block => "Block",
            Self::Task => "Task",
            Self::Handler => "Handler",
            Self::LoopControl => "LoopControl",
        })
    }
}

/// How a keyword is passed on to what is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inherit {
    /// It is not.
    No,
    /// What is inside may set its own; else it has this one.
    Override,
    /// Outer values first, then the inner ones: `when`, `environment`, `module_defaults`, `vars`.
    OuterFirst,
    /// Inner values first, then the outer ones: `tags`.
    InnerFirst,
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// The keyword.
    pub keyword: Keyword,
    /// As users write it.
    pub name: &'static str,
    /// Where it may stand.
    pub places: &'static [Place],
    /// How it is passed on.
    pub inherit: Inherit,
}

macro_rules! keywords {
    ($($keyword:ident $name:literal [$($place:ident)*] $inherit:ident;)*) => {
        /// A keyword of a playbook.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Keyword {
            $(#[doc = concat!("`", $name, "`")] $keyword,)*
        }

        /// All keywords, sorted by name.
        pub const KEYWORDS: &[Row] = &[
            $(Row {
                keyword: Keyword::$keyword,
                name: $name,
                places: &[$(Place::$place),*],
                inherit: Inherit::$inherit,
            },)*
        ];
    };
}

keywords! {
    Action "action" [Task Handler] No;
    Always "always" [Block] No;
    AnyErrorsFatal "any_errors_fatal" [Play Role Block Task Handler] Override;
    Args "args" [Task Handler] No;
    Async "async" [Task Handler] No;
    Become "become" [Play Role Block Task Handler] Override;
    BecomeExe "become_exe" [Play Role Block Task Handler] Override;
    BecomeFlags "become_flags" [Play Role Block Task Handler] Override;
    BecomeMethod "become_method" [Play Role Block Task Handler] Override;
    BecomeUser "become_user" [Play Role Block Task Handler] Override;
    Block "block" [Block] No;
    BreakWhen "break_when" [LoopControl] No;
    ChangedWhen "changed_when" [Task Handler] No;
    CheckMode "check_mode" [Play Role Block Task Handler] Override;
    Collections "collections" [Play Role Block Task Handler] Override;
    Connection "connection" [Play Role Block Task Handler] Override;
    Debugger "debugger" [Play Role Block Task Handler] Override;
    Delay "delay" [Task Handler] No;
    DelegateFacts "delegate_facts" [Role Block Task Handler] Override;
    DelegateTo "delegate_to" [Role Block Task Handler] Override;
    Diff "diff" [Play Role Block Task Handler] Override;
    Environment "environment" [Play Role Block Task Handler] OuterFirst;
    Extended "extended" [LoopControl] No;
    ExtendedAllitems "extended_allitems" [LoopControl] No;
    FactPath "fact_path" [Play] No;
    FailedWhen "failed_when" [Task Handler] No;
    ForceHandlers "force_handlers" [Play] No;
    GatherFacts "gather_facts" [Play] No;
    GatherSubset "gather_subset" [Play] No;
    GatherTimeout "gather_timeout" [Play] No;
    Handlers "handlers" [Play] No;
    Hosts "hosts" [Play] No;
    IgnoreErrors "ignore_errors" [Play Role Block Task Handler] Override;
    IgnoreUnreachable "ignore_unreachable" [Play Role Block Task Handler] Override;
    IndexVar "index_var" [LoopControl] No;
    Label "label" [LoopControl] No;
    Listen "listen" [Handler] No;
    LocalAction "local_action" [Task Handler] No;
    Loop "loop" [Task Handler] No;
    LoopControl "loop_control" [Task Handler] No;
    LoopVar "loop_var" [LoopControl] No;
    MaxFailPercentage "max_fail_percentage" [Play] No;
    ModuleDefaults "module_defaults" [Play Role Block Task Handler] OuterFirst;
    Name "name" [Play Role Block Task Handler] No;
    NoLog "no_log" [Play Role Block Task Handler] Override;
    Notify "notify" [Block Task Handler] Override;
    Order "order" [Play] No;
    Pause "pause" [LoopControl] No;
    Poll "poll" [Task Handler] No;
    Port "port" [Play Role Block Task Handler] Override;
    PostTasks "post_tasks" [Play] No;
    PreTasks "pre_tasks" [Play] No;
    Register "register" [Task Handler] No;
    RemoteUser "remote_user" [Play Role Block Task Handler] Override;
    Rescue "rescue" [Block] No;
    Retries "retries" [Task Handler] No;
    Role "role" [Role] No;
    Roles "roles" [Play] No;
    RunOnce "run_once" [Play Role Block Task Handler] Override;
    Serial "serial" [Play] No;
    Strategy "strategy" [Play] No;
    Tags "tags" [Play Role Block Task Handler] InnerFirst;
    Tasks "tasks" [Play] No;
    Throttle "throttle" [Play Role Block Task Handler] Override;
    Timeout "timeout" [Play Role Block Task Handler] Override;
    Until "until" [Task Handler] No;
    ValidateArgspec "validate_argspec" [Play] No;
    Vars "vars" [Play Role Block Task Handler] OuterFirst;
    VarsFiles "vars_files" [Play] No;
    VarsPrompt "vars_prompt" [Play] No;
    When "when" [Role Block Task Handler] OuterFirst;
}

impl Keyword {
    /// The row of the keyword as users write it, wherever it may stand.
    pub fn row_named(name: &str) -> Option<&'static Row> {
        KEYWORDS.binary_search_by(|row| row.name.cmp(name)).ok().map(|index| &KEYWORDS[index])
    }

    /// Its row.
    pub fn row(self) -> &'static Row {
        &KEYWORDS[self as usize]
    }

    /// As users write it.
    pub fn name(self) -> &'static str {
        self.row().name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_each_keyword_finds_its_row() {
        assert!(KEYWORDS.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(KEYWORDS.iter().all(|row| row.keyword.row().name == row.name));
    }
}
