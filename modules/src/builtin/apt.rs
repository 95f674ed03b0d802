//! `apt`: packages of Debian and its kin, through `apt-get`, `apt-cache` and `dpkg`. No Python is needed, and no aptitude: `upgrade` is
//! always `apt-get`'s.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use driftless_macros::{Args, Choice};

use crate::host::{Command, Diff, Output, glob, words};
use crate::package::apt::policy_rc_d::PolicyRcD;
use crate::package::apt::{self, Cache, Package, Wanted};
use crate::package::{self, Step};
use crate::spec::Support;
use crate::{Failure, Host, JsonMap, Module, Outcome, Result};

/// The module.
pub struct Apt;

/// Its options.
#[derive(Args)]
#[args(mutually_exclusive("deb", "name", "upgrade"))]
pub struct AptArgs {
    /// Whether versions of packages on hold may change.
    #[arg(default = false)]
    allow_change_held_packages: bool,
    /// Whether a package may become older.
    #[arg(default = false, alias = "allow-downgrade", alias = "allow_downgrades", alias = "allow-downgrades")]
    allow_downgrade: bool,
    /// Whether packages need no signature.
    #[arg(default = false, alias = "allow-unauthenticated")]
    allow_unauthenticated: bool,
    /// Without meaning: the module needs nothing installed.
    #[arg(name = "auto_install_module_deps", default = true)]
    _auto_install_module_deps: bool,
    /// Whether to remove fetched packages that are out of date.
    #[arg(default = false)]
    autoclean: bool,
    /// Whether to remove dependencies that nobody needs any more.
    #[arg(default = false)]
    autoremove: bool,
    /// For how many seconds fetched lists are good.
    #[arg(default = 0)]
    cache_valid_time: i64,
    /// Whether to remove fetched packages.
    #[arg(default = false)]
    clean: bool,
    /// A package file on the host.
    deb: Option<PathBuf>,
    /// The release whose versions come first.
    #[arg(alias = "default-release")]
    default_release: Option<String>,
    /// Options of dpkg, with commas.
    #[arg(default = "force-confdef,force-confold")]
    dpkg_options: String,
    /// Whether to fail rather than remove a package.
    #[arg(default = false)]
    fail_on_autoremove: bool,
    /// Whether to do it against all objections.
    #[arg(default = false)]
    force: bool,
    /// Without meaning: `apt-get` is always used.
    #[arg(name = "force_apt_get", default = false)]
    _force_apt_get: bool,
    /// Whether recommended packages come along.
    #[arg(alias = "install-recommends")]
    install_recommends: Option<bool>,
    /// For how many seconds to wait for another program's lock.
    #[arg(default = 60)]
    lock_timeout: i64,
    /// The packages.
    #[arg(alias = "package", alias = "pkg")]
    name: Option<Vec<String>>,
    /// Whether only installed packages are touched.
    #[arg(default = false)]
    only_upgrade: bool,
    /// What policy-rc.d answers while packages are configured.
    policy_rc_d: Option<i64>,
    /// Whether configuration goes with its package.
    #[arg(default = false)]
    purge: bool,
    /// How the packages are to be.
    #[arg(default = "present")]
    state: State,
    /// Whether to fetch the lists first.
    #[arg(alias = "update-cache")]
    update_cache: Option<bool>,
    /// How often fetching the lists is tried.
    #[arg(default = 5)]
    update_cache_retries: u32,
    /// The longest rest between two tries, in seconds.
    #[arg(default = 12)]
    update_cache_retry_max_delay: u64,
    /// Whether and how to upgrade everything.
    #[arg(default = "no")]
    upgrade: Upgrade,
}

/// How packages are to be.
#[derive(Choice, Clone, Copy, PartialEq)]
enum State {
    Absent,
    #[choice("build-dep")]
    BuildDep,
    Fixed,
    Latest,
    Present,
}

/// How everything is upgraded.
#[derive(Choice, Clone, Copy, PartialEq)]
enum Upgrade {
    Dist,
    Full,
    No,
    Safe,
    Yes,
}

impl Module for Apt {
    type Args = AptArgs;
    const NAME: &'static str = "apt";
    const SUMMARY: &'static str = "Manage packages with apt";
    const DIFF: Support = Support::Full;
    const EXAMPLES: &'static [&'static str] =
        &["- apt:\n    name: [nginx, curl]\n    state: present\n    update_cache: true\n    cache_valid_time: 3600\n"];

    fn run(args: AptArgs, host: &mut Host) -> Result<Outcome> {
        let apt_get = host.need_program("apt-get")?;
        let apt_get = host.command(apt_get).env("DEBIAN_FRONTEND", "noninteractive").env("DEBIAN_PRIORITY", "critical");
        Run { args: &args, apt_get, updated: None }.all(host)
    }
}

/// One run of the module.
struct Run<'a> {
    args: &'a AptArgs,
    apt_get: Command,
    /// Whether the lists changed, where they were looked after.
    updated: Option<bool>,
}

impl Run<'_> {
    fn all(mut self, host: &mut Host) -> Result<Outcome> {
        let args = self.args;
        let names = args.name.as_deref().unwrap_or_default();
        if args.clean {
            let command = self.apt_get.clone().arg("clean");
            // Ansible's answer: cleaning always counts as a change.
            let step = Step { name: "archives".to_owned(), before: "present", after: "absent" };
            let output =
                host.unrecorded(|door| door.run(&command)?.or_fail(|output| format!("Failed to clean packages: {}", output.stderr())))?;
            package::record(host, &[step], None)?;
            if names.is_empty() && args.upgrade == Upgrade::No && args.deb.is_none() {
                let (stdout, stderr) = output.map_or_else(Default::default, |output| (output.stdout(), output.stderr()));
                return Ok(host.outcome().with("msg", stdout.clone()).with("stdout", stdout).with("stderr", stderr));
            }
        }
        let before = apt::cache_time();
        if args.update_cache == Some(true) || args.cache_valid_time > 0 {
            self.update(host, before)?;
            if names.is_empty() && args.upgrade == Upgrade::No && args.deb.is_none() {
                if self.updated == Some(true) {
                    package::record(host, &[Step { name: "lists".to_owned(), before: "outdated", after: "latest" }], None)?;
                }
                return Ok(self.with_times(host.outcome()));
            }
        }
        if args.upgrade != Upgrade::No {
            return self.upgrade(host, args.upgrade);
        }
        if let Some(path) = &args.deb {
            return self.deb(host, path);
        }
        if names.iter().any(|name| name == "*") {
            if names.len() == 1 && args.state == State::Latest {
                return self.upgrade(host, Upgrade::Yes);
            }
            return Err(Failure::new("unable to install additional packages when upgrading all installed packages"));
        }
        if names.is_empty() && (args.autoclean || args.autoremove) {
            return self.cleanup(host, if args.autoclean { "autoclean" } else { "autoremove" });
        }
        let wanted = expand(host, names, args.state)?;
        if args.state == State::Absent { self.remove(host, &wanted) } else { self.install(host, &wanted) }
    }

    /// Fetches the lists if they are too old. Ansible foretells a change wherever it would fetch.
    fn update(&mut self, host: &mut Host, before: u64) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let good_until = before.saturating_add(u64::try_from(self.args.cache_valid_time).unwrap_or(0));
        if good_until >= now && self.args.cache_valid_time > 0 {
            self.updated = Some(false);
            return Ok(());
        }
        if host.is_checking() {
            self.updated = Some(true);
            return Ok(());
        }
        let command = self.apt_get.clone().args(["-q", "-o", "APT::Update::Error-Mode=any", "update"]);
        let mut why = String::new();
        for turn in 0..self.args.update_cache_retries {
            let output = host.unrecorded(|door| door.run(&command))?.expect("effects happen when not checking");
            if output.succeeded() {
                self.updated = Some(apt::cache_time() > before);
                return Ok(());
            }
            why = output.stderr().trim().replace("E: ", "E:");
            host.warn(format!("Failed to update cache after {} due to {why} retry, retrying", turn + 1));
            let rest = 2_u64.saturating_pow(turn).min(self.args.update_cache_retry_max_delay);
            for _ in 0..rest * 10 {
                if host.is_cancelled() {
                    return Err(Failure::new("the task was cancelled"));
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        let tries = self.args.update_cache_retries;
        Err(Failure::new(format!("Failed to update apt cache after {tries} retries: {why}")))
    }

    fn with_times(&self, outcome: Outcome) -> Outcome {
        outcome.with("cache_updated", self.updated.unwrap_or(false)).with("cache_update_time", apt::cache_time())
    }

    /// `apt-get -y` with dpkg's options and the lock's timeout.
    fn base(&self) -> Command {
        let options = self.args.dpkg_options.split(',').map(str::trim).filter(|option| !option.is_empty());
        let options = options.flat_map(|option| ["-o".to_owned(), format!("Dpkg::Options::=--{option}")]);
        let lock = format!("DPkg::Lock::Timeout={}", self.args.lock_timeout);
        self.apt_get.clone().arg("-y").args(options).args(["-o", &lock])
    }

    /// The options that say what an installation may do.
    fn allowed(&self, mut command: Command) -> Command {
        let args = self.args;
        if let Some(recommends) = args.install_recommends {
            command = command.args(["-o", &format!("APT::Install-Recommends={}", if recommends { "yes" } else { "no" })]);
        }
        if let Some(release) = &args.default_release {
            command = command.args(["-t", release]);
        }
        let flags = [
            (args.force, "--force-yes"),
            (args.fail_on_autoremove, "--no-remove"),
            (args.only_upgrade, "--only-upgrade"),
            (args.allow_unauthenticated, "--allow-unauthenticated"),
            (args.allow_downgrade, "--allow-downgrades"),
            (args.allow_change_held_packages, "--allow-change-held-packages"),
        ];
        command.args(flags.into_iter().filter(|(wanted, _)| *wanted).map(|(_, flag)| flag))
    }

    /// Runs a transaction under the wanted policy-rc.d.
    fn transact(&self, host: &mut Host, command: Command) -> Result<Output> {
        let policy = PolicyRcD::put(host, self.args.policy_rc_d)?;
        let output = package::transact(host, command, "--simulate");
        if let Some(policy) = policy {
            policy.remove(host)?;
        }
        output
    }

    fn install(&self, host: &mut Host, wanted: &[Wanted]) -> Result<Outcome> {
        let build_dep = self.args.state == State::BuildDep;
        let names: Vec<String> = wanted.iter().map(|wanted| wanted.name.clone()).collect();
        let mut chosen = Vec::new();
        if build_dep {
            chosen = names;
        } else {
            let cache = Cache::read(host, &names, self.args.default_release.as_deref())?;
            for one in wanted {
                chosen.extend(self.choose(host, one, &cache)?);
            }
        }
        if chosen.is_empty() {
            mark_as_wanted(host, wanted)?;
            return Ok(self.with_times(host.outcome()));
        }
        let mut command = self.base();
        if self.args.state == State::Fixed {
            command = command.arg("--fix-broken");
        }
        if self.args.autoremove {
            command = command.arg("--auto-remove");
        }
        let command = self.allowed(command).arg(if build_dep { "build-dep" } else { "install" }).args(&chosen);
        let output = self.transact(host, command.clone())?;
        if !output.succeeded() {
            return Err(self.with_failure_times(failed(&self.shown(&command), &output)));
        }
        let stdout = output.stdout();
        let mut steps = apt::steps(&stdout);
        if steps.is_empty() && !(build_dep && apt::transacted_nothing(&stdout)) {
            // What was only half installed has been configured.
            steps = chosen.iter().map(|name| Step { name: name.clone(), before: "incomplete", after: "present" }).collect();
        }
        package::record(host, &steps, apt::shown_diff(&stdout))?;
        if !build_dep {
            mark_as_wanted(host, wanted)?;
        }
        let outcome = self.with_times(with_diff(host.outcome()));
        Ok(outcome.with("stdout", stdout).with("stderr", output.stderr()))
    }

    /// A command as messages show it: dpkg's options and the names quoted, a blank for each choice that was not made.
    fn shown(&self, command: &Command) -> String {
        let argv = command.argv();
        let verb = argv.iter().position(|word| word == "install" || word == "build-dep").unwrap_or(argv.len());
        let (options, names) = argv.split_at(verb);
        let (verb, names) = names.split_first().map_or(("", names), |(verb, names)| (verb.as_str(), names));
        let quoted = |word: &String| if word.starts_with("Dpkg::Options::") { format!("\"{word}\"") } else { word.clone() };
        let choices = [self.args.only_upgrade, self.args.state == State::Fixed, self.args.autoremove, self.args.fail_on_autoremove];
        let blanks = if verb == "build-dep" { 5 } else { 6 } - choices.into_iter().filter(|choice| *choice).count();
        let options: Vec<String> = options.iter().map(quoted).collect();
        let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        format!("{}{} {verb} {}", options.join(" "), " ".repeat(blanks), names.join(" "))
    }

    fn with_failure_times(&self, failure: Failure) -> Failure {
        failure.with("cache_updated", self.updated.unwrap_or(false)).with("cache_update_time", apt::cache_time())
    }

    /// What to ask of apt-get for one name, if anything.
    fn choose(&self, host: &Host, wanted: &Wanted, cache: &Cache) -> Result<Option<String>> {
        let unknown = || Failure::new(format!("No package matching '{}' is available", wanted.name));
        let package = cache.get(&wanted.name).ok_or_else(unknown)?;
        if !package.is_real() {
            return self.choose_virtual(host, wanted);
        }
        let target = version_to_install(host, wanted, package)?;
        if let Some(installed) = package.version() {
            let upgrades = self.args.state == State::Latest && target.as_deref().is_some_and(|target| target != installed);
            let newer = upgrades && apt::is_at_least(host, target.as_deref().unwrap_or_default(), installed)?;
            if wanted.is_met(host, installed)? && !newer {
                return Ok(None);
            }
        } else if self.args.only_upgrade {
            return Ok(None);
        }
        match (target, &wanted.version) {
            (Some(version), _) => Ok(Some(format!("{}={version}", wanted.name))),
            (None, Some(version)) => {
                let operator = if wanted.or_newer { ">=" } else { "=" };
                let text = format!("no available installation candidate for {}{operator}{version}", wanted.name);
                Err(self.with_failure_times(Failure::new(text)))
            }
            (None, None) => Ok(Some(wanted.name.clone())),
        }
    }

    /// A name that only other packages provide: installed if one of them is.
    fn choose_virtual(&self, host: &Host, wanted: &Wanted) -> Result<Option<String>> {
        let output = host.query(&host.command(host.need_program("apt-cache")?).args(["showpkg", "--", &wanted.name]))?;
        let stdout = output.stdout();
        let lines = stdout.lines().skip_while(|line| !line.starts_with("Reverse Provides:")).skip(1);
        let providers: Vec<String> = lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
        if providers.is_empty() {
            return Err(Failure::new(format!("No package matching '{}' is available", wanted.name)));
        }
        let cache = Cache::read(host, &providers, None)?;
        let installed = providers.iter().any(|provider| cache.get(provider).is_some_and(|package| package.version().is_some()));
        Ok((!installed && !self.args.only_upgrade).then(|| wanted.name.clone()))
    }

    fn remove(&self, host: &mut Host, wanted: &[Wanted]) -> Result<Outcome> {
        let names: Vec<String> = wanted.iter().map(|wanted| wanted.name.clone()).collect();
        let cache = Cache::read(host, &names, None)?;
        let there = |package: &Package| package.unpacked.is_some() || (package.has_files && self.args.purge);
        let names: Vec<String> = names.into_iter().filter(|name| cache.get(name).is_some_and(there)).collect();
        if names.is_empty() {
            return Ok(host.outcome());
        }
        let mut command = self.base().arg("-q");
        let flags = [
            (self.args.purge, "--purge"),
            (self.args.force, "--force-yes"),
            (self.args.autoremove, "--auto-remove"),
            (self.args.allow_change_held_packages, "--allow-change-held-packages"),
        ];
        command = command.args(flags.into_iter().filter(|(wanted, _)| *wanted).map(|(_, flag)| flag)).arg("remove").args(&names);
        let output = self.transact(host, command)?;
        if !output.succeeded() {
            return Err(failed(&format!("apt-get remove {}", words::join(&names)), &output));
        }
        let stdout = output.stdout();
        let mut steps = apt::steps(&stdout);
        if steps.is_empty() {
            steps = names.into_iter().map(|name| Step { name, before: "present", after: "absent" }).collect();
        }
        package::record(host, &steps, apt::shown_diff(&stdout))?;
        Ok(with_diff(host.outcome()).with("stdout", stdout).with("stderr", output.stderr()))
    }

    fn upgrade(&self, host: &mut Host, how: Upgrade) -> Result<Outcome> {
        let verb: &[&str] = match how {
            Upgrade::Dist | Upgrade::Full => &["dist-upgrade"],
            Upgrade::No | Upgrade::Safe | Upgrade::Yes => &["upgrade", "--with-new-pkgs"],
        };
        let mut command = self.allowed(self.base());
        if self.args.autoremove {
            command = command.arg("--auto-remove");
        }
        let command = command.args(verb);
        let output = self.transact(host, command.clone())?;
        let stdout = output.stdout();
        if !output.succeeded() {
            let failure = Failure::new(format!("'{} {} ' failed: {}", command.argv()[0], verb.join(" "), output.stderr()));
            return Err(failure.with("rc", output.rc()).with("stdout", stdout));
        }
        if !apt::transacted_nothing(&stdout) {
            package::record(host, &apt::steps(&stdout), apt::shown_diff(&stdout))?;
        }
        let outcome = host.outcome().with("msg", stdout.clone()).with("stdout", stdout).with("stderr", output.stderr());
        Ok(if self.updated.is_some() { self.with_times(outcome) } else { outcome })
    }

    /// `autoremove` or `autoclean` alone.
    fn cleanup(&self, host: &mut Host, verb: &str) -> Result<Outcome> {
        let mut command = self.base();
        if self.args.purge && verb == "autoremove" {
            command = command.arg("--purge");
        }
        let output = self.transact(host, command.arg(verb))?;
        if !output.succeeded() {
            return Err(failed(&format!("apt-get {verb}"), &output));
        }
        let stdout = output.stdout();
        let steps = if verb == "autoclean" {
            let removed = stdout.lines().filter_map(|line| line.strip_prefix("Del ")?.split_whitespace().next());
            removed.map(|name| Step { name: name.to_owned(), before: "present", after: "absent" }).collect()
        } else {
            apt::steps(&stdout)
        };
        package::record(host, &steps, apt::shown_diff(&stdout))?;
        Ok(with_diff(host.outcome()).with("stdout", stdout).with("stderr", output.stderr()))
    }

    /// A package file: what it depends on comes from the lists.
    fn deb(&self, host: &mut Host, path: &Path) -> Result<Outcome> {
        let shown_path = path.display().to_string();
        if shown_path.contains("://") {
            return Err(Failure::new("`deb` with a URL is not supported yet; hint: fetch it with `get_url` first"));
        }
        let path = host.absolute(path);
        if !path.exists() {
            let why = format!("E:Could not open file {shown_path} - open (2: No such file or directory)");
            return Err(Failure::new(format!("Unable to install package: {why}")));
        }
        let query = host.command(host.need_program("dpkg-deb")?).args(["-f", &path.to_string_lossy(), "Package", "Version"]);
        let output = host.query(&query)?.or_fail(|output| format!("Unable to install package: {}", output.stderr().trim()))?;
        let stdout = output.stdout();
        let field = |name: &str| stdout.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
        let (name, version) = (field("Package:"), field("Version:"));
        let cache = Cache::read(host, std::slice::from_ref(&name), None)?;
        if let Some(installed) = cache.get(&name).and_then(Package::version) {
            let newer = installed != version && apt::is_at_least(host, installed, &version)?;
            if installed == version || (newer && !self.args.allow_downgrade && !self.args.force) {
                return Ok(host.outcome().with("stdout", "").with("stderr", ""));
            }
        }
        self.install_dependencies(host, &path, &name)?;
        let options = self.args.dpkg_options.split(',').map(str::trim).filter(|option| !option.is_empty());
        let command = host.command(host.need_program("dpkg")?).env("DEBIAN_FRONTEND", "noninteractive");
        let command = command.args(options.map(|option| format!("--{option}"))).args(self.args.force.then_some("--force-all"));
        let command = command.arg("-i").arg(&path);
        let policy = PolicyRcD::put(host, self.args.policy_rc_d)?;
        let output = if host.is_checking() {
            let simulated = host.command(host.need_program("dpkg")?).args(["--simulate", "-i"]).arg(&path);
            host.query(&simulated)
        } else {
            let command = command.let_finish();
            host.unrecorded(|door| door.run(&command)).map(|output| output.expect("effects happen when not checking"))
        };
        if let Some(policy) = policy {
            policy.remove(host)?;
        }
        let output = output?;
        let stdout = output.stdout();
        if !output.succeeded() {
            let failure = Failure::new(format!("{} failed", words::join(&[&shown_path])));
            return Err(failure.with("stdout", stdout).with("stderr", output.stderr()));
        }
        let step = Step { name, before: "absent", after: "present" };
        package::record(host, &[step], Some(Diff::Prepared(stdout.clone())))?;
        Ok(host.outcome().with("stdout", stdout).with("stderr", output.stderr()))
    }

    /// What a package file needs and the host lacks, from the lists.
    fn install_dependencies(&self, host: &mut Host, path: &Path, name: &str) -> Result<()> {
        let output = host.query(&self.allowed(self.base()).args(["--simulate", "install"]).arg(path))?;
        if !output.succeeded() {
            return Err(Failure::new(format!("Unable to install package: {}", output.stderr().trim().replace("E: ", "E:"))));
        }
        let needed: Vec<String> = apt::steps(&output.stdout())
            .into_iter()
            .filter(|step| step.name != name && step.after != "absent")
            .map(|step| step.name)
            .collect();
        if needed.is_empty() {
            return Ok(());
        }
        let command = self.allowed(self.base()).arg("install").args(&needed);
        let output = self.transact(host, command.clone())?;
        if !output.succeeded() {
            return Err(failed(&self.shown(&command), &output));
        }
        package::record(host, &apt::steps(&output.stdout()), None)
    }
}

/// Ansible's result of a transaction has a `diff`, empty where none is to be shown.
fn with_diff(outcome: Outcome) -> Outcome {
    if outcome.get("diff").is_some() { outcome } else { outcome.with("diff", JsonMap::new()) }
}

/// A package that is named is no longer one that came along only for others: Ansible does not count that as a change.
fn mark_as_wanted(host: &mut Host, wanted: &[Wanted]) -> Result<()> {
    let automatic = apt::automatic();
    let names: Vec<&str> = wanted.iter().map(|wanted| wanted.name.as_str()).filter(|name| automatic.contains(*name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let Some(program) = host.find_program("apt-mark") else {
        host.warn("Could not find apt-mark binary, not marking package(s) as manually installed.");
        return Ok(());
    };
    let command = host.command(program).args(["manual", "--"]).args(&names);
    host.unrecorded(|door| door.run(&command))?;
    Ok(())
}

/// The version that a name asks for, if there is one.
fn version_to_install(host: &Host, wanted: &Wanted, package: &Package) -> Result<Option<String>> {
    for version in package.candidate.iter().chain(&package.versions) {
        if wanted.is_met(host, version)? {
            return Ok(Some(version.clone()));
        }
    }
    Ok(None)
}

/// Reads the names; patterns become the packages that they match.
fn expand(host: &Host, names: &[String], state: State) -> Result<Vec<Wanted>> {
    let mut all: Option<Vec<String>> = None;
    let mut expanded = Vec::new();
    for name in names.iter().filter(|name| state != State::Absent || !name.is_empty()) {
        let wanted = Wanted::parse(name);
        if wanted.name.is_empty() {
            return Err(Failure::new(format!("No package matching '{}' is available", wanted.name)));
        }
        if !glob::is_pattern(&wanted.name) {
            expanded.push(wanted);
            continue;
        }
        let all = match &all {
            Some(all) => all,
            None => {
                let output = host.query(&host.command(host.need_program("apt-cache")?).arg("pkgnames"))?;
                all.insert(output.stdout().lines().map(str::to_owned).collect())
            }
        };
        let mut matching: Vec<String> = all.iter().filter(|known| glob::matches(&wanted.name, known)).cloned().collect();
        matching.sort();
        let cache = Cache::read(host, &matching, None)?;
        matching.retain(|name| cache.get(name).is_some_and(Package::is_real));
        if matching.is_empty() && state != State::Absent {
            return Err(Failure::new(format!("No package(s) matching '{}' available", wanted.name)));
        }
        expanded.extend(matching.into_iter().map(|name| Wanted { name, ..wanted.clone() }));
    }
    Ok(expanded)
}

fn failed(command: &str, output: &Output) -> Failure {
    let failure = Failure::new(format!("'{command}' failed: {}", output.stderr()));
    failure.with("rc", output.rc()).with("stdout", output.stdout()).with("stderr", output.stderr())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::laws::{Law, Mode};

    /// A host with `hello` 1.0 and 2.0; what is installed stands in `$WORLD.hello`.
    fn law() -> Law {
        let law = Law::of("apt");
        law.tool(
            "apt-cache",
            r#"
[ "$1" = pkgnames ] && { echo hello; exit; }
[ "$1" = showpkg ] && { echo "Reverse Provides: "; exit; }
shift 2
for name; do [ "$name" = hello ] && printf 'hello:\n  Installed: %s\n  Candidate: 2.0\n  Version table:\n     2.0 500\n     1.0 500\n' "$(cat $WORLD.hello 2>/dev/null || echo '(none)')"; done; exit 0"#,
        );
        law.tool("dpkg-query", r#"[ -e $WORLD.hello ] && printf 'hello\tall\tinstalled\t%s\n' "$(cat $WORLD.hello)"; exit 0"#);
        law.tool("dpkg", r#"[ "$2" = "$4" ] || [ "$2" = 2.0 ]"#);
        law.tool(
            "apt-get",
            r#"
echo "Reading state information..."
for word; do
  case $word in
    --simulate) dry=1;;
    update) exit 100;;
    remove) echo "The following packages will be REMOVED:"; verb=remove;;
    install) verb=install;;
    hello=*) version=${word#hello=};;
  esac
done
case $verb in
  install) if [ -e $WORLD.hello ]; then echo "The following packages will be upgraded:"; else echo "The following NEW packages will be installed:"; fi;;
esac
echo "  hello"; echo "1 upgraded, 1 newly installed, 0 to remove and 0 not upgraded."
for last; do :; done; [ "$last" = --simulate ] && exit 0
case $verb in install) echo $version > $WORLD.hello;; remove) rm $WORLD.hello;; esac"#,
        );
        law
    }

    #[test]
    fn a_package_comes_is_upgraded_and_goes() {
        let law = law();
        let ran = law.converges(json!({"name": "hello=1.0"}), &[("package", "hello")]);
        assert_eq!(ran.outcome.get("cache_updated"), Some(&json!(false)));
        assert_eq!(law.read("world.hello"), "1.0\n");
        law.unchanged(json!({"name": ["hello", "hel*", "hello>=1.0"]}));
        law.converges(json!({"name": "hello", "state": "latest"}), &[("package", "hello")]);
        assert_eq!(law.read("world.hello"), "2.0\n");
        let shown = law.run(json!({"name": "hello", "state": "absent"}), Mode::Check).outcome;
        assert!(shown.get("diff").unwrap()["prepared"].as_str().unwrap().starts_with("The following packages will be REMOVED:\n  hello\n"));
        law.converges(json!({"name": "hello", "state": "absent"}), &[("package", "hello")]);
    }

    #[test]
    fn names_and_versions_that_are_not_there_fail() {
        let law = law();
        law.fails(json!({"name": "nonesuch"}), "No package matching 'nonesuch' is available");
        law.fails(json!({"name": "nonesuch*"}), "No package(s) matching 'nonesuch*' available");
        law.fails(json!({"name": "hello=9"}), "no available installation candidate for hello=9");
        law.unchanged(json!({"name": "nonesuch", "state": "absent"}));
        law.fails(json!({"update_cache": true, "update_cache_retries": 1, "update_cache_retry_max_delay": 0}), "after 1 retries");
    }
}
