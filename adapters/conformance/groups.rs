//! Tests of the look-up of groups.

use std::collections::BTreeSet;
use std::time::Duration;

use frontdesk_core::group::LookupError;

use super::TestPlatform;

/// Maximum time of one request.
const LIMIT: Duration = Duration::from_secs(15);

/// A private chat, a chat that does not exist and what is no id are no groups.
pub(super) async fn what_is_no_group_is_not_described(platform: &impl TestPlatform) {
    let adapter = platform.adapter();
    let (private, missing) = (platform.chat(), platform.missing_chat());
    for id in [private.chat(), missing.chat(), "", " ", "../x", "?", "ünïcode\n"] {
        let described = tokio::time::timeout(LIMIT, adapter.group(id)).await;
        let described = described.unwrap_or_else(|_| panic!("{id:?} hangs"));
        assert_eq!(described, Err(LookupError::NoSuchGroup), "{id:?}");
    }
}

/// The list ends, names each group once, and each is described by its id as in the list.
pub(super) async fn listed_groups_are_those_that_are_described(platform: &impl TestPlatform) {
    let adapter = platform.adapter();
    let (mut seen, mut from) = (BTreeSet::new(), None);
    for _ in 0..100 {
        let page =
            tokio::time::timeout(LIMIT, adapter.groups(from.as_deref())).await.expect("the list hangs");
        let page = match page {
            Err(LookupError::Unsupported) => return,
            page => page.expect("a list"),
        };
        for group in page.groups {
            assert!(seen.insert(group.id.clone()), "{} is listed twice", group.id);
            match adapter.group(&group.id).await {
                Ok(described) => assert_eq!((&described.id, &described.name), (&group.id, &group.name)),
                // A platform may list what the bot cannot see.
                described => {
                    assert_eq!((described, group.joined), (Err(LookupError::NoSuchGroup), Some(false)))
                }
            }
        }
        from = page.next;
        if from.is_none() {
            return;
        }
    }
    panic!("the list does not end");
}
