//! A platform's account and somebody on it, as they are said on the command line.

use clap::Args;
use frontdesk_core::account;

use super::Failure;

/// The account that is meant, where it is not the first one.
#[derive(Args)]
pub struct Account {
    /// The account, if it is not `default`; or write it behind the platform: telegram@work
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

impl Account {
    /// The platform and its account, if one was said.
    pub fn of<'a>(&'a self, platform: &'a str) -> Result<(&'a str, Option<&'a str>), Failure> {
        let (platform, behind) = account::split(platform);
        match (behind, self.account.as_deref()) {
            (Some(one), Some(other)) if one != other => Err(Failure::usage(format!(
                "{platform}@{one} and --account {other} are two accounts; say one"
            ))),
            (one, other) => Ok((platform, one.or(other))),
        }
    }

    /// Whether one was said by itself.
    pub fn is_said(&self) -> bool {
        self.account.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_said_in_one_of_two_ways() {
        let account = |name: Option<&str>| Account { account: name.map(str::to_owned) };
        assert_eq!(account(None).of("telegram").unwrap(), ("telegram", None));
        assert_eq!(account(None).of("telegram@work").unwrap(), ("telegram", Some("work")));
        assert_eq!(account(Some("work")).of("telegram").unwrap(), ("telegram", Some("work")));
        assert_eq!(account(Some("work")).of("telegram@work").unwrap(), ("telegram", Some("work")));
        assert!(account(Some("home")).of("telegram@work").is_err());
    }
}
