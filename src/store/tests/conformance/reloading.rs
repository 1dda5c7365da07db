//! What a reload of the configuration needs: what people lost has ended, and what waits is found.

use frontdesk_store::row::*;

use crate::fixture::*;

#[tokio::test]
async fn access_that_the_configuration_took_ends_and_grants_stay() {
    let fixture = Fixture::open().await;
    let grant = AccessChange::Grant { principal: person("eve"), scope: Scope::Admin };
    fixture.change(1, grant).await;
    let eve = fixture
        .accept_one(1, with_event(says("eve", "1", "waits"), |event| event.from.id = person("eve")))
        .await;
    let anna = fixture.accept_one(1, says("anna", "2", "waits")).await;
    let lost = LostAccess::Person { principal: person("eve"), scope: Scope::Dm, private: None };
    let group = LostAccess::Group(address("-5"));
    let ended = fixture.store.access_lost(vec![lost, group], admin(), t(2)).await.unwrap();
    assert_eq!(ended.waiting.iter().map(|(_, _, id)| *id).collect::<Vec<_>>(), [eve]);
    assert_eq!(
        (fixture.state(eve).await.0.as_str(), fixture.state(anna).await.0.as_str()),
        ("refused", "waiting")
    );
    assert_eq!(fixture.store.access_state().await.unwrap().grants.len(), 1, "no grant is revoked");
    let audit = fixture.audit().await;
    assert!(audit.contains(&"revoke telegram:eve dm: done".to_owned()), "{audit:?}");
    assert!(audit.contains(&"unserve telegram:-5: done".to_owned()), "{audit:?}");
}

#[tokio::test]
async fn sessions_and_addresses_with_work_are_found() {
    let fixture = Fixture::open().await;
    assert_eq!(fixture.store.lanes_with_work().await.unwrap(), (vec![], vec![]));
    fixture.accept_one(1, says("anna", "1", "waits")).await;
    let outgoing = OutgoingMessage {
        address: address("ben"),
        session: None,
        parts: parts("hello"),
        media: vec![],
        key: "k".into(),
        author: admin(),
        now: t(1),
    };
    fixture.store.send(outgoing).await.unwrap();
    let found = fixture.store.lanes_with_work().await.unwrap();
    assert_eq!(found, (vec![key("anna")], vec![address("ben")]));
}
