//! The groups and channels of a platform, for an operator who configures which of them are served.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use frontdesk_core::account::{AccountId, NoSuchChannel};
use frontdesk_core::group::{Group, GroupPage, LookupError};
use frontdesk_core::port::Adapter;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::{GatewayError, GatewayHandle};

/// Number of known groups in a page, if the platform lists none itself.
const PAGE: usize = 50;
/// Number of groups that a platform is asked about concurrently.
const CONCURRENT: usize = 4;

/// A group, and what the gateway does with its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupView {
    /// What the platform says about it.
    pub group: Group,
    /// Whether the configuration or an admin has it served.
    pub served: bool,
}

/// A part of the groups of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupList {
    /// The account.
    pub account: AccountId,
    /// The groups.
    pub groups: Vec<GroupView>,
    /// Where the next part begins; `None` after the last one.
    pub next: Option<String>,
    /// Whether the platform does not list groups, so that only those are here that are served.
    pub only_served: bool,
}

impl GatewayHandle {
    /// Lists the groups that the bot of an account can see, as its platform describes them now. `what` is a channel with
    /// one account, or an account (`slack@work`).
    pub async fn groups(&self, what: &str, from: Option<&str>) -> Result<GroupList, GatewayError> {
        let (account, adapter) = self.account_of_groups(what)?;
        let listed = contained(adapter.groups(from)).await;
        let only_served = listed == Err(LookupError::Unsupported);
        let page = match only_served {
            true => self.served_groups(&account, adapter, from).await?,
            false => listed?,
        };
        let view = |group| self.view(&account, group);
        Ok(GroupList {
            groups: page.groups.into_iter().map(view).collect(),
            next: page.next,
            only_served,
            account,
        })
    }

    /// Describes one group by its id.
    pub async fn group(&self, what: &str, id: &str) -> Result<GroupView, GatewayError> {
        let (account, adapter) = self.account_of_groups(what)?;
        Ok(self.view(&account, contained(adapter.group(id)).await?))
    }

    /// The groups that are served, in the order of their ids, each described by the platform.
    async fn served_groups(
        &self,
        account: &AccountId,
        adapter: Arc<dyn Adapter>,
        from: Option<&str>,
    ) -> Result<GroupPage, LookupError> {
        let all = self.0.access.served_groups(&self.0.settings().access, account);
        let mut ids: Vec<String> =
            all.into_iter().filter(|id| from.is_none_or(|from| id.as_str() > from)).collect();
        let next = (ids.len() > PAGE).then(|| ids[PAGE - 1].clone());
        ids.truncate(PAGE);
        let described = stream::iter(ids).map(|id| {
            let adapter = adapter.clone();
            async move {
                match contained(adapter.group(&id)).await {
                    // The bot was removed, or the group is gone: an operator wants to see that.
                    Err(LookupError::NoSuchGroup) => {
                        Ok(Group { id, joined: Some(false), kind: "unknown", ..Group::default() })
                    }
                    described => described,
                }
            }
        });
        Ok(GroupPage { groups: described.buffered(CONCURRENT).try_collect().await?, next })
    }

    fn account_of_groups(&self, what: &str) -> Result<(AccountId, Arc<dyn Adapter>), GatewayError> {
        let adapters = &self.0.adapters;
        let accounts = adapters.named(what);
        match accounts.as_slice() {
            [account] => {
                let connection = adapters.get(account);
                let connection = connection.ok_or_else(|| NoSuchChannel::new(what, adapters.ids()))?;
                Ok((account.clone(), connection.adapter()))
            }
            [] => Err(NoSuchChannel::new(what, adapters.ids()).into()),
            several => {
                let names: Vec<String> = several
                    .iter()
                    .map(|account| format!("{}@{}", account.channel(), account.name()))
                    .collect();
                Err(GatewayError::Invalid(format!("name one account: {}", names.join(", "))))
            }
        }
    }

    fn view(&self, account: &AccountId, group: Group) -> GroupView {
        let served = self.0.access.serves(&self.0.settings().access, account, &group.id);
        GroupView { group, served }
    }
}

/// A panic in the adapter fails only this request.
async fn contained<T>(request: impl Future<Output = Result<T, LookupError>>) -> Result<T, LookupError> {
    let done = AssertUnwindSafe(request).catch_unwind().await;
    done.unwrap_or_else(|_| Err(LookupError::Refused("the adapter panicked".to_owned())))
}
