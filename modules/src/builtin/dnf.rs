//! `dnf`: packages of Fedora, RHEL and their kin, through the `dnf` program (version 4) and `rpm`. No Python module is needed.

use std::path::Path;

use driftless_macros::{Args, Choice};

use crate::host::{Command, Output};
use crate::package;
use crate::package::dnf::{self, Deed, Row};
use crate::{Failure, Host, Module, Outcome, Result};

/// The module.
pub struct Dnf;

/// Its options.
#[derive(Args)]
#[args(mutually_exclusive("best", "nobest"))]
pub struct DnfArgs {
    /// Whether a package may become older.
    #[arg(default = false)]
    allow_downgrade: bool,
    /// Whether packages that are in the way are removed.
    #[arg(default = false)]
    allowerasing: bool,
    /// Whether dependencies that nobody needs any more go too.
    #[arg(default = false)]
    autoremove: bool,
    /// Whether only the newest versions will do.
    best: Option<bool>,
    /// Whether, of updates, only those that mend bugs count.
    #[arg(default = false)]
    bugfix: bool,
    /// Whether nothing is fetched that the cache has not.
    #[arg(default = false)]
    cacheonly: bool,
    /// dnf's configuration.
    conf_file: Option<String>,
    /// Whose excludes do not count.
    disable_excludes: Option<String>,
    /// Whether signatures are not looked at.
    #[arg(default = false)]
    disable_gpg_check: bool,
    /// Plugins to leave out.
    #[arg(default = [])]
    disable_plugin: Vec<String>,
    /// Repositories to leave out.
    #[arg(default = [])]
    disablerepo: Vec<String>,
    /// Where packages are put that are only fetched.
    download_dir: Option<String>,
    /// Whether packages are fetched and not installed.
    #[arg(default = false)]
    download_only: bool,
    /// Plugins to take in.
    #[arg(default = [])]
    enable_plugin: Vec<String>,
    /// Repositories to take in.
    #[arg(default = [])]
    enablerepo: Vec<String>,
    /// Packages that are left as they are.
    #[arg(default = [])]
    exclude: Vec<String>,
    /// Whether recommended packages come along.
    #[arg(default = true)]
    install_weak_deps: bool,
    /// The root of the installation.
    #[arg(default = "/")]
    installroot: String,
    /// The packages.
    #[arg(default = [], alias = "pkg")]
    name: Vec<String>,
    /// The opposite of `best`.
    nobest: Option<bool>,
    /// The release whose packages are meant.
    releasever: Option<String>,
    /// Whether, of updates, only those for security count.
    #[arg(default = false)]
    security: bool,
    /// Whether packages that cannot be installed are left out.
    #[arg(default = false)]
    skip_broken: bool,
    /// Whether servers must prove who they are.
    #[arg(default = true)]
    sslverify: bool,
    /// How the packages are to be.
    state: Option<State>,
    /// Whether the lists are fetched first.
    #[arg(default = false, alias = "expire-cache")]
    update_cache: bool,
    /// Whether `latest` leaves alone what is not installed.
    #[arg(default = false)]
    update_only: bool,
    /// Which dnf.
    #[arg(default = "auto")]
    use_backend: Backend,
    /// Whether servers of packages named by URL must prove who they are.
    #[arg(default = true)]
    validate_certs: bool,
}

/// How packages are to be.
#[derive(Choice, Clone, Copy, PartialEq)]
enum State {
    Absent,
    Installed,
    Latest,
    Present,
    Removed,
}

/// Which dnf.
#[derive(Choice, Clone, Copy, PartialEq)]
enum Backend {
    Auto,
    Dnf,
    Dnf4,
    Dnf5,
    Yum,
    Yum4,
}

impl Module for Dnf {
    type Args = DnfArgs;
    const NAME: &'static str = "dnf";
    const SUMMARY: &'static str = "Manage packages with dnf";
    const MISSING: &'static [(&'static str, &'static str)] =
        &[("list", "`package_facts` tells what is installed"), ("lock_timeout", "dnf itself waits for another program's lock")];
    const EXAMPLES: &'static [&'static str] = &["- dnf:\n    name: [nginx, curl]\n    state: latest\n"];

    fn run(args: DnfArgs, host: &mut Host) -> Result<Outcome> {
        let dnf = host.need_program("dnf")?;
        if args.use_backend == Backend::Dnf5 || std::fs::canonicalize(&dnf).is_ok_and(|path| path.ends_with("dnf5")) {
            return Err(Failure::new("`dnf` of version 5 is not supported yet, only version 4").with("results", Vec::<String>::new()));
        }
        let dnf = args.command(host.command(dnf));
        Run { args: &args, dnf, results: Vec::new() }.all(host)
    }
}

impl DnfArgs {
    /// dnf with the options that every command takes.
    fn command(&self, mut command: Command) -> Command {
        let flags = [
            (self.allowerasing, "--allowerasing"),
            (self.best == Some(true) || self.nobest == Some(false), "--best"),
            (self.nobest == Some(true) || self.best == Some(false), "--nobest"),
            (self.cacheonly, "--cacheonly"),
            (self.disable_gpg_check, "--nogpgcheck"),
            (self.skip_broken, "--skip-broken"),
            (!self.install_weak_deps, "--setopt=install_weak_deps=False"),
            (!self.sslverify || !self.validate_certs, "--setopt=sslverify=False"),
            (self.update_cache, "--refresh"),
            (self.download_only, "--downloadonly"),
            (!self.autoremove, "--setopt=clean_requirements_on_remove=False"),
        ];
        command = command.arg("--color=never").args(flags.into_iter().filter(|(wanted, _)| *wanted).map(|(_, flag)| flag));
        let values = [
            ("config", &self.conf_file),
            ("disableexcludes", &self.disable_excludes),
            ("downloaddir", &self.download_dir),
            ("releasever", &self.releasever),
        ];
        command = command.args(values.into_iter().filter_map(|(name, value)| Some(format!("--{name}={}", value.as_ref()?))));
        let lists = [
            ("disableplugin", &self.disable_plugin),
            ("disablerepo", &self.disablerepo),
            ("enableplugin", &self.enable_plugin),
            ("enablerepo", &self.enablerepo),
            ("exclude", &self.exclude),
        ];
        for (name, list) in lists {
            command = command.args(list.iter().map(|value| format!("--{name}={value}")));
        }
        if self.installroot == "/" { command } else { command.arg(format!("--installroot={}", self.installroot)) }
    }
}

/// One run of the module.
struct Run<'a> {
    args: &'a DnfArgs,
    dnf: Command,
    results: Vec<String>,
}

impl Run<'_> {
    fn all(mut self, host: &mut Host) -> Result<Outcome> {
        let args = self.args;
        let names: Vec<&str> = args.name.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
        let state = args.state.unwrap_or(if args.autoremove { State::Absent } else { State::Present });
        // Of the two words for it only the one will do, as in Ansible.
        if args.autoremove && state != State::Absent {
            return Err(self.failure("Autoremove should be used alone or with state=absent"));
        }
        if names.is_empty() && !args.autoremove {
            if args.update_cache {
                let command = self.dnf.clone().args(["-q", "makecache"]);
                host.unrecorded(|door| door.run(&command)?.or_fail(said))?;
                return Ok(self.answer(host.outcome(), "Cache updated"));
            }
            return Ok(self.answer(host.outcome(), "Nothing to do"));
        }
        let mut filters = Vec::new();
        if state == State::Latest {
            filters
                .extend([(args.security, "--security"), (args.bugfix, "--bugfix")].into_iter().filter(|(on, _)| *on).map(|(_, flag)| flag));
        }
        match state {
            _ if names.is_empty() => self.transact(host, &["autoremove"], &[])?,
            State::Absent | State::Removed => {
                let there = self.part(host, &names)?.0;
                for name in names.iter().filter(|name| !there.contains(name)) {
                    self.results.push(format!("No match for argument: {name}"));
                }
                self.transact(host, &["remove"], &there)?;
            }
            State::Latest if names == ["*"] => self.transact_all(host, &filters)?,
            State::Latest => {
                let (there, new) = self.part(host, &names)?;
                let mut wanted = if filters.is_empty() {
                    there
                } else {
                    self.transact_filtered(host, &filters, &there)?;
                    Vec::new()
                };
                if args.update_only {
                    let skipped = new.iter().map(|name| format!("Packages providing {name} not installed due to update_only specified"));
                    self.results.extend(skipped);
                } else {
                    wanted.extend(new);
                }
                self.install(host, &wanted)?;
            }
            State::Installed | State::Present => {
                let new = self.part(host, &names)?.1;
                self.install(host, &new)?;
            }
        }
        let outcome = host.outcome();
        let message = match (outcome.changed(), host.is_checking()) {
            (true, true) => "Check mode: No changes made, but would have if not in check mode",
            (true, false) => "",
            (false, _) => "Nothing to do",
        };
        Ok(self.answer(outcome, message))
    }

    fn answer(self, outcome: Outcome, message: &str) -> Outcome {
        outcome.with("msg", message).with("rc", 0).with("results", self.results)
    }

    fn failure(&self, message: impl Into<String>) -> Failure {
        Failure::new(message).with("rc", 1).with("results", self.results.clone())
    }

    /// Parts names into those that are installed and those that are not; groups are dnf's to know.
    fn part<'n>(&self, host: &Host, names: &[&'n str]) -> Result<(Vec<&'n str>, Vec<&'n str>)> {
        let mut parts = (Vec::new(), Vec::new());
        let absent = matches!(self.args.state, Some(State::Absent | State::Removed));
        for name in names {
            let there = if name.starts_with('@') { absent } else { dnf::is_installed(host, &self.args.installroot, name)? };
            if there { parts.0.push(*name) } else { parts.1.push(*name) }
        }
        Ok(parts)
    }

    fn transact_all(&mut self, host: &mut Host, filters: &[&str]) -> Result<()> {
        let verb: Vec<&str> = std::iter::once("upgrade").chain(filters.iter().copied()).collect();
        self.run(host, &verb, &[])
    }

    fn transact_filtered(&mut self, host: &mut Host, filters: &[&str], names: &[&str]) -> Result<()> {
        let verb: Vec<&str> = std::iter::once("upgrade").chain(filters.iter().copied()).collect();
        self.transact(host, &verb, names)
    }

    /// Installs; what would only make a package older is left out unless that is allowed.
    fn install(&mut self, host: &mut Host, names: &[&str]) -> Result<()> {
        let mut names = names.to_vec();
        if !self.args.allow_downgrade && names.iter().any(|name| name.contains(|c: char| c.is_ascii_digit())) {
            let look = host.query(&self.dnf.clone().args(["--assumeno", "install", "--"]).args(&names))?;
            let older: Vec<Row> = dnf::rows(&look.stdout()).into_iter().filter(|row| row.deed == Deed::Downgrade).collect();
            names
                .retain(|name| !older.iter().any(|row| name.strip_prefix(&row.name).is_some_and(|rest| rest.starts_with(['-', ' ', '=']))));
        }
        self.transact(host, &["install"], &names)
    }

    /// One transaction over some names, if there are any.
    fn transact(&mut self, host: &mut Host, verb: &[&str], names: &[&str]) -> Result<()> {
        if names.is_empty() && verb != ["autoremove"] {
            return Ok(());
        }
        self.run(host, verb, names)
    }

    fn run(&mut self, host: &mut Host, verb: &[&str], names: &[&str]) -> Result<()> {
        let before = dnf::installed(host, &self.args.installroot)?;
        let mut command = self.dnf.clone().arg(if host.is_checking() { "--assumeno" } else { "--assumeyes" }).args(verb);
        if !names.is_empty() {
            command = command.arg("--").args(names);
        }
        let output = if host.is_checking() {
            host.query(&command)?
        } else {
            let command = command.let_finish();
            host.unrecorded(|door| door.run(&command))?.expect("effects happen when not checking")
        };
        let rows = dnf::rows(&output.stdout());
        // A transaction that was declined ends with 1, as a failed one does.
        let declined = host.is_checking() && output.stderr().contains("Operation aborted") | output.stdout().contains("Operation aborted");
        if !output.succeeded() && !declined {
            return Err(self.failed(&output));
        }
        for row in &rows {
            if self.args.download_only {
                self.results.push(format!("Downloaded: {}", row.nevra()));
                continue;
            }
            match row.deed {
                Deed::Remove => self.results.push(format!("Removed: {}", row.nevra())),
                Deed::Install | Deed::Upgrade | Deed::Downgrade => self.results.push(format!("Installed: {}", row.nevra())),
            }
            if let Some(version) = before.get(&format!("{}.{}", row.name, row.architecture))
                && matches!(row.deed, Deed::Upgrade | Deed::Downgrade)
            {
                self.results.push(format!("Removed: {}-{version}.{}", row.name, row.architecture));
            }
        }
        let steps: Vec<package::Step> = rows.iter().map(Row::step).collect();
        package::record(host, &steps, None)
    }

    fn failed(&self, output: &Output) -> Failure {
        let text = format!("{}\n{}", output.stdout(), output.stderr());
        let unknown: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("No match for argument: "))
            .map(|name| format!("No package {} available.", name.trim()))
            .collect();
        if !unknown.is_empty() {
            return self.failure("Failed to install some of the specified packages").with("failures", unknown);
        }
        let group = text.lines().find_map(|line| line.strip_prefix("Module or Group '")?.strip_suffix("' is not available."));
        match group {
            Some(group) => self.failure(format!("No group {group} available.")),
            None => self.failure(said(output)),
        }
    }
}

/// What dnf said of its failure.
fn said(output: &Output) -> String {
    let stderr = output.stderr();
    let text = stderr.find("Error:").map_or(stderr.as_str(), |at| &stderr[at + "Error:".len()..]);
    text.trim().to_owned()
}

/// Whether dnf looks after a host's packages.
pub(super) fn is_here(host: &Host) -> bool {
    Path::new("/etc/dnf").is_dir() && host.find_program("dnf").is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::laws::{Law, Mode};

    fn law() -> Law {
        let law = Law::of("dnf");
        law.tool(
            "rpm",
            r#"
shift 2
case "$*" in
  -qa*) [ -e $WORLD.hello ] && printf 'hello.noarch\t%s-1\n' "$(cat $WORLD.hello)"; exit 0;;
esac
for name; do :; done
[ "$name" = hello ] && [ -e $WORLD.hello ]"#,
        );
        law.tool(
            "dnf",
            r#"
for last; do case $last in --assumeno) no=1;; install|remove|upgrade) verb=$last;; esac; done
[ "$last" = hello ] || { echo "No match for argument: $last"; echo "Error: Unable to find a match: $last" >&2; exit 1; }
case $verb in
  install) if [ "$(cat $WORLD.hello 2>/dev/null)" = 2.0 ]; then echo "Nothing to do."; exit 0; fi
    if [ -e $WORLD.hello ]; then echo Upgrading:; else echo Installing:; fi;;
  remove) echo Removing:;;
esac
echo " hello noarch 2.0-1 fleet 1 k"; echo; echo Transaction Summary
[ -n "$no" ] && { echo Operation aborted. >&2; exit 1; }
case $verb in install) echo 2.0 > $WORLD.hello;; remove) rm $WORLD.hello;; esac"#,
        );
        law
    }

    #[test]
    fn a_package_comes_is_upgraded_and_goes() {
        let law = law();
        let ran = law.converges(json!({"name": "hello"}), &[("package", "hello")]);
        assert_eq!(ran.outcome.get("results"), Some(&json!(["Installed: hello-2.0-1.noarch"])));
        law.write("world.hello", "1.0");
        let ran = law.converges(json!({"name": "hello", "state": "latest"}), &[("package", "hello")]);
        assert_eq!(ran.outcome.get("results"), Some(&json!(["Installed: hello-2.0-1.noarch", "Removed: hello-1.0-1.noarch"])));
        let foretold = law.run(json!({"name": "hello", "state": "absent"}), Mode::Check).outcome;
        assert_eq!(foretold.get("msg"), Some(&json!("Check mode: No changes made, but would have if not in check mode")));
        law.converges(json!({"name": "hello", "state": "absent"}), &[("package", "hello")]);
        let outcome = law.unchanged(json!({"name": "hello", "state": "absent"}));
        assert_eq!(outcome.get("results"), Some(&json!(["No match for argument: hello"])));
    }

    #[test]
    fn autoremove_goes_with_one_word_alone() {
        law().fails(json!({"name": "hello", "state": "removed", "autoremove": true}), "Autoremove should be used alone");
    }

    #[test]
    fn unknown_names_fail() {
        let outcome = law().fails(json!({"name": "nonesuch"}), "Failed to install some of the specified packages");
        assert_eq!(outcome.get("failures"), Some(&json!(["No package nonesuch available."])));
    }
}
