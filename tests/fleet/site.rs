//! The example site (nginx, PHP, MariaDB on three hosts) is set up, stays as it is, and its drift is named.

use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::hosts::Fleet;
use crate::run::{Run, file, path, playbook};

/// What is done to the site by hand: host, shell command, and the tasks of `site.yml` that must then want to change something.
const DRIFT: &[(&str, &str, &[&str])] = &[
    ("web1", "sed -i '/site/d' /etc/motd", &["common : Greet them"]),
    (
        "db1",
        "sed -i 's/= 50/= 500/' /etc/mysql/mariadb.conf.d/60-site.cnf",
        &["mariadb : Configure the server", "mariadb : Restart mariadb"],
    ),
    ("db1", "crontab -r", &["mariadb : Run it every night"]),
    ("web1", "systemctl stop nginx", &["nginx : Run nginx"]),
    ("web2", "systemctl disable -q php8.2-fpm", &["php_fpm : Run php-fpm"]),
    ("web2", "rm /srv/guestbook/public/style.css", &["guestbook : Copy its pages", "guestbook : Forget compiled pages"]),
    ("web2", "chmod 644 /srv/guestbook/config.php", &["guestbook : Configure it"]),
    ("web1", "echo '# drift' >> /etc/nginx/sites-available/guestbook.conf", &["guestbook : Describe it to nginx", "nginx : Reload nginx"]),
    ("web1", "rm /etc/cron.d/guestbook", &["guestbook : Run it once a week, on one host"]),
];

/// The names in the inventory of the site, and the hosts of the fleet that play them.
const HOSTS: [(&str, &str); 3] = [("web1", "trixie-2"), ("web2", "debian-2"), ("db1", "debian-3")];

#[test]
fn site_serves_its_page_stays_the_same_and_names_its_drift() {
    let Some(fleet) = Fleet::around_us() else { return };
    let site = Site::on(&fleet);

    site.run(&[]).expect_ok();
    for web in ["web1", "web2"] {
        let page = fleet.ask(host_of(web), "curl -s http://localhost/");
        assert!(page.contains("Welcome, and write something") && page.contains(&format!("Served by {web}")), "{page}");
    }
    site.run(&[]).expect_ok().expect_nothing_changed();

    for (name, by_hand, _) in DRIFT {
        fleet.ask(host_of(name), by_hand);
    }
    let mut expected: Vec<String> =
        DRIFT.iter().flat_map(|(name, _, tasks)| tasks.iter().map(move |task| format!("{name}: {task}"))).collect();
    expected.sort();

    let check = site.run(&["--check", "--diff"]);
    let mut foretold = check.expect_ok().changes();
    foretold.sort();
    assert_eq!(foretold, expected, "{}", check.text);
    for line in ["-max-connections = 500", "+max-connections = 50", "-# drift", "+web1: web server of the site"] {
        assert!(check.text.lines().any(|shown| shown == line), "`{line}` is not in the differences of:\n{}", check.text);
    }

    let mend = site.run(&[]);
    let mut done = mend.expect_ok().changes();
    done.sort();
    assert_eq!(done, expected, "{}", mend.text);
    site.run(&["--check", "--diff"]).expect_ok().expect_nothing_changed();
}

fn host_of(name: &str) -> &'static str {
    HOSTS.iter().find(|(alias, _)| *alias == name).expect("the table names hosts of the site").1
}

struct Site {
    folder: PathBuf,
    /// Where the hosts of the site's own inventory are.
    addresses: NamedTempFile,
}

impl Site {
    fn on(fleet: &Fleet) -> Self {
        let pairs = HOSTS.map(|(name, host)| format!("{name}={host}"));
        let alias: Vec<&str> = ["inventory", "alias"].into_iter().chain(pairs.iter().map(String::as_str)).collect();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks-examples/site");
        Self { folder, addresses: file(".ini", &fleet.command(&alias)) }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let inventory = self.folder.join("inventory/hosts.ini");
        let places = ["-i", inventory.to_str().expect("UTF-8"), "-i", path(&self.addresses), "-u", "admin"];
        playbook(&self.folder.join("site.yml"), &[&places, arguments].concat())
    }
}
