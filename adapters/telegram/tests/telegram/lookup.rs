//! Groups, as an operator looks them up.

use frontdesk_botapi::{BotApi, Fault};
use frontdesk_core::group::{Group, LookupError};
use frontdesk_core::port::Adapter;

use crate::setup::{account, adapter};

#[tokio::test]
async fn a_group_is_described_by_its_id() {
    let api = BotApi::start().await;
    let anna = api.user(1001, "Anna");
    anna.starts().await;
    let tea = api.supergroup(-1001, "Tea");
    anna.joins(&tea).await;
    let adapter = adapter(account(&api));
    let described = adapter.group("-1001").await.unwrap();
    let expected = Group {
        id: "-1001".into(),
        name: "Tea".into(),
        kind: "supergroup",
        joined: Some(true),
        members: described.members,
        ..Group::default()
    };
    assert_eq!(described, expected);
    assert!(described.members >= Some(2), "{described:?}");
    for id in ["1001", "-404", "@tea", ""] {
        assert_eq!(adapter.group(id).await, Err(LookupError::NoSuchGroup), "{id}");
    }
    api.fault(Fault::too_many(1).on("getChat").times(1));
    assert!(matches!(adapter.group("-1001").await, Err(LookupError::Later(_))));
    assert_eq!(adapter.groups(None).await, Err(LookupError::Unsupported));
}
