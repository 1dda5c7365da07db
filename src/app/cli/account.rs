//! The account of a channel, as it is given on the command line.

use clap::Args;
use frontdesk_core::account::{AccountError, AccountId};

use super::Failure;

/// Which account of the channel.
#[derive(Args)]
pub struct AccountArg {
    /// The account, if it is not `default`; `--account work` is the same as telegram@work
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

impl AccountArg {
    /// The account of the channel: the one in `channel@account`, the one of `--account`, or `default`.
    pub fn named(&self, channel: &str) -> Result<AccountId, Failure> {
        let usage = |error: AccountError| Failure::usage(error.to_string());
        let typed: AccountId = channel.parse().map_err(usage)?;
        let Some(name) = self.account.as_deref() else { return Ok(typed) };
        let named = AccountId::new(typed.channel(), Some(name)).map_err(usage)?;
        if channel.contains('@') && named != typed {
            return Err(Failure::usage(format!(
                "{typed} and --account {name} name two accounts; give only one"
            )));
        }
        Ok(named)
    }

    /// Whether `--account` was given.
    pub fn is_given(&self) -> bool {
        self.account.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_can_be_given_in_two_ways() {
        let account = |name: Option<&str>| AccountArg { account: name.map(str::to_owned) };
        let of = |name, channel| account(name).named(channel).unwrap().to_string();
        assert_eq!(of(None, "telegram"), "telegram");
        assert_eq!(of(None, "telegram@work"), "telegram@work");
        assert_eq!(of(Some("work"), "telegram"), "telegram@work");
        assert_eq!(of(Some("work"), "telegram@work"), "telegram@work");
        assert!(account(Some("home")).named("telegram@work").is_err());
    }
}
