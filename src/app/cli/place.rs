//! A platform's account and somebody on it, as they are said on the command line.

use clap::Args;
use frontdesk_core::account::{AccountError, AccountId};

use super::Failure;

/// The account that is meant, where it is not the first one.
#[derive(Args)]
pub struct Account {
    /// The account, if it is not `default`; or write it behind the platform: telegram@work
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

impl Account {
    /// The platform's account that is meant: the one in `platform@account`, the one of `--account`, or `default`.
    pub fn of(&self, platform: &str) -> Result<AccountId, Failure> {
        let usage = |error: AccountError| Failure::usage(error.to_string());
        let typed: AccountId = platform.parse().map_err(usage)?;
        let Some(name) = self.account.as_deref() else { return Ok(typed) };
        let named = AccountId::new(typed.channel(), Some(name)).map_err(usage)?;
        if platform.contains('@') && named != typed {
            return Err(Failure::usage(format!("{typed} and --account {name} are two accounts; say one")));
        }
        Ok(named)
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
        let of = |name, platform| account(name).of(platform).unwrap().to_string();
        assert_eq!(of(None, "telegram"), "telegram");
        assert_eq!(of(None, "telegram@work"), "telegram@work");
        assert_eq!(of(Some("work"), "telegram"), "telegram@work");
        assert_eq!(of(Some("work"), "telegram@work"), "telegram@work");
        assert!(account(Some("home")).of("telegram@work").is_err());
    }
}
