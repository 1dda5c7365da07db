//! The accounts of the configuration, looked at on their platforms: for `onboard` and `doctor`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use frontdesk::channels::webhook_url;
use frontdesk::clock::SystemClock;
use frontdesk::config::{Config, Problem, Problems};
use frontdesk::home::Home;
use frontdesk_kit::setup::{CheckHost, Finding, Level, Report};
use frontdesk_kit::{ConfiguredAccount, Setup};
use futures_util::future::join_all;

use super::{Failure, config, log};

/// What the configuration says about accounts.
pub struct Accounts {
    config: Config,
    /// The file, if there is one.
    file: Option<PathBuf>,
    /// What is wrong with accounts.
    problems: Vec<Problem>,
    all: Vec<ConfiguredAccount>,
}

/// An account that was looked at.
pub struct Checked {
    /// The name of its platform.
    pub title: &'static str,
    /// The account.
    pub account: ConfiguredAccount,
    /// Whether it has a token.
    pub has_token: bool,
    /// What the configuration says about it that may be wrong.
    pub configuration: Vec<Finding>,
    /// What its platform says.
    pub report: Report,
}

impl Checked {
    /// Everything that was found.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.configuration.iter().chain(self.report.findings())
    }

    /// The worst of what was found.
    pub fn level(&self) -> Level {
        self.findings().map(|finding| finding.level).max().unwrap_or(Level::Ok)
    }
}

impl Accounts {
    /// Reads the configuration. What is wrong with accounts that can be inspected is no error here; everything else is.
    pub fn read(home: &Home, named: Option<&Path>) -> Result<Accounts, Failure> {
        let (loaded, problems) = config::load_unchecked(home, named)?;
        let all = loaded.config.channels.accounts(&loaded.config.gateway);
        let inspected =
            |channel: &str| loaded.config.channels.setups().any(|(known, _)| known.name == channel);
        let is_ours = |problem: &Problem| {
            let mut accounts = all.iter().filter(|account| inspected(account.id.channel()));
            accounts.any(|account| is_within(&problem.error.path, &account.path))
        };
        let (problems, others): (Vec<_>, Vec<_>) = problems.into_iter().partition(is_ours);
        if !others.is_empty() {
            return Err(Problems { file: loaded.file, problems: others }.into());
        }
        Ok(Accounts { config: loaded.config, file: loaded.file, problems, all })
    }

    /// The accounts of all platforms.
    pub fn all(&self) -> &[ConfiguredAccount] {
        &self.all
    }

    /// The accounts of a platform that are worth looking at: the first one only if it is configured, or if there is no
    /// other.
    pub fn of(&self, channel: &str) -> Vec<&ConfiguredAccount> {
        let all: Vec<&ConfiguredAccount> =
            self.all.iter().filter(|account| account.id.channel() == channel).collect();
        let meant: Vec<&ConfiguredAccount> =
            all.iter().copied().filter(|account| self.is_meant(account)).collect();
        if meant.is_empty() { all.into_iter().take(1).collect() } else { meant }
    }

    /// Whether somebody has configured the account.
    fn is_meant(&self, account: &ConfiguredAccount) -> bool {
        self.is_wanted(account) || self.setup(account).is_some_and(|setup| setup.has_token(&account.id))
    }

    /// Whether somebody has configured the account and has not switched it off.
    pub fn is_wanted(&self, account: &ConfiguredAccount) -> bool {
        account.on || !self.configuration(account).is_empty()
    }

    /// How the account is set up.
    pub fn setup(&self, account: &ConfiguredAccount) -> Option<&dyn Setup> {
        let mut setups = self.config.channels.setups();
        setups.find(|(channel, _)| channel.name == account.id.channel()).map(|(_, setup)| setup)
    }

    /// What the configuration says about an account that may be wrong.
    pub fn configuration(&self, account: &ConfiguredAccount) -> Vec<Finding> {
        let finding = |level, found: String, next| Finding { check: "configuration", level, found, next };
        // An error beneath `accounts` belongs to the account there, not to the section.
        let path = |problem: &Problem| {
            let owners = self.all.iter().filter(|other| is_within(&problem.error.path, &other.path));
            owners.map(|other| other.path.len()).max()
        };
        let own = self.problems.iter().filter(|problem| {
            is_within(&problem.error.path, &account.path) && path(problem) == Some(account.path.len())
        });
        let wrong = own.map(|problem| {
            let at = self.file.as_ref().zip(problem.position);
            let next = at.map(|(file, position)| format!("Correct it in {}:{position}.", file.display()));
            finding(Level::Error, format!("{}.", problem.error), next)
        });
        let lacks_token = self.setup(account).is_some_and(|setup| !setup.has_token(&account.id));
        let next = lacks_token.then(|| format!("To set it up: frontdesk onboard {}", account.id.channel()));
        let problem = account.problem.iter().map(|text| (Level::Error, text));
        let notice = account.notice.iter().map(|text| (Level::Warning, text));
        let notices =
            problem.chain(notice).map(|(level, text)| finding(level, format!("{text}."), next.clone()));
        wrong.chain(notices).collect()
    }

    /// Looks at these accounts, at all of them at the same time.
    pub async fn check(&self, accounts: Vec<&ConfiguredAccount>) -> Vec<Checked> {
        let clock = Arc::new(SystemClock::new());
        let look = |account: &ConfiguredAccount| {
            let (setup, account, clock) = (self.setup(account), account.clone(), clock.clone());
            async move {
                let setup = setup?;
                let webhook_url = webhook_url(&self.config.gateway, &account.id);
                let report = setup.inspect(&account.id, &CheckHost { clock, webhook_url }).await;
                let has_token = setup.has_token(&account.id);
                let mut configuration = self.configuration(&account);
                if has_token && !account.on && account.problem.is_none() {
                    configuration.push(Finding::warning(
                        "configuration",
                        "The account is switched off, so the gateway does not connect it.",
                        format!("To switch it on, remove `enabled = false` from [{}].", account.path),
                    ));
                }
                Some(Checked { title: setup.title(), account, has_token, configuration, report })
            }
        };
        join_all(accounts.into_iter().map(look)).await.into_iter().flatten().collect()
    }
}

/// Whether a key is within a table.
fn is_within(path: &str, table: &str) -> bool {
    path.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Starts a log on standard error at debug, which has the words of the platforms, if it is wanted.
pub fn log_if(verbose: bool, home: &Home) -> Result<(), Failure> {
    if verbose {
        log::start(&frontdesk::config::Log::default(), home, true)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_within;

    #[test]
    fn a_key_is_within_its_own_table_alone() {
        for path in ["channels.slack", "channels.slack.token", "channels.slack.accounts.b.token"] {
            assert!(is_within(path, "channels.slack"), "{path}");
        }
        for path in ["channels.slacker.token", "channels", "gateway.port", ""] {
            assert!(!is_within(path, "channels.slack"), "{path}");
        }
    }
}
