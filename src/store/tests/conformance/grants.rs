//! Grants: what an admin gave and took back, and the audit.

use frontdesk_core::account::AccountId;
use frontdesk_store::row::*;

use crate::fixture::*;

fn grant(who: &str, scope: Scope) -> AccessChange {
    AccessChange::Grant { principal: person(who), scope }
}

fn revoke(who: &str, scope: Option<Scope>) -> AccessChange {
    AccessChange::Revoke { principal: person(who), scope, also: Vec::new(), private: None }
}

#[tokio::test]
async fn a_grant_holds_once_and_in_its_own_place() {
    let fixture = Fixture::open().await;
    let group = || Scope::Group("-100".into());
    for (at, scope, new) in
        [(1, Scope::Dm, true), (2, Scope::Dm, false), (3, group(), true), (4, Scope::Admin, true)]
    {
        assert_eq!(fixture.change(at, grant("anna", scope)).await, AccessDone::Granted { new });
    }
    assert_eq!(
        fixture.grants().await,
        ["telegram:anna dm", "telegram:anna group:-100", "telegram:anna admin"]
    );
    let first = fixture.store.access_state().await.unwrap().grants.remove(0);
    assert_eq!((first.source.as_str(), first.by.as_str(), first.created), ("chat", "telegram:1", t(1)));
    assert_eq!(
        fixture.audit().await,
        [
            "grant telegram:anna dm: done",
            "grant telegram:anna dm: unchanged",
            "grant telegram:anna group:-100: done",
            "grant telegram:anna admin: done"
        ]
    );
}

#[tokio::test]
async fn a_grant_is_taken_back_alone_or_with_all_others() {
    let fixture = Fixture::open().await;
    for scope in [Scope::Dm, Scope::Group("-1".into()), Scope::Admin] {
        fixture.change(1, grant("anna", scope)).await;
    }
    fixture.change(1, grant("bob", Scope::Dm)).await;
    let AccessDone::Revoked(Revoked { grants: 1, .. }) =
        fixture.change(2, revoke("anna", Some(Scope::Dm))).await
    else {
        panic!("one grant was to go")
    };
    assert_eq!(fixture.grants().await, ["telegram:anna group:-1", "telegram:anna admin", "telegram:bob dm"]);
    assert_eq!(
        fixture.change(3, revoke("anna", Some(Scope::Dm))).await,
        AccessDone::Revoked(Revoked::default())
    );
    let AccessDone::Revoked(Revoked { grants: 2, .. }) = fixture.change(4, revoke("anna", None)).await else {
        panic!("two grants were to go")
    };
    assert_eq!(fixture.grants().await, ["telegram:bob dm"]);
    assert_eq!(fixture.change(5, grant("anna", Scope::Dm)).await, AccessDone::Granted { new: true }, "anew");
    let lines = fixture.audit().await;
    assert_eq!(
        lines[4..7],
        [
            "revoke telegram:anna dm: done",
            "revoke telegram:anna dm: unchanged",
            "revoke telegram:anna everything: done"
        ]
    );
}

#[tokio::test]
async fn the_listener_knows_a_change_of_access_before_its_reply() {
    let fixture = Fixture::open().await;
    let id = fixture.accept_one(1, commands("eve", "1", EpochChange::ByRule)).await;
    let before = fixture.renderer.announced.lock().unwrap().len();
    let effect = CommandEffect::Access { change: Box::new(grant("anna", Scope::Dm)), author: admin() };
    let reply = Box::new(|_: &CommandFacts| "done".to_owned());
    let answer = done(fixture.answer_command(id, effect, t(2), reply).await.unwrap());
    assert_eq!(answer.announced.len(), 1);
    let state = fixture.store.access_state().await.unwrap();
    assert_eq!(state.grants.len(), 1);
    assert_eq!(*fixture.renderer.access.lock().unwrap(), [(state, before)]);
}

#[tokio::test]
async fn another_account_is_another_person() {
    let fixture = Fixture::open().await;
    fixture.change(1, grant("anna", Scope::Dm)).await;
    let work = frontdesk_core::address::Principal::new("telegram", Some("work"), "anna").unwrap();
    let done = fixture
        .change(2, AccessChange::Revoke { principal: work, scope: None, also: Vec::new(), private: None })
        .await;
    assert_eq!(done, AccessDone::Revoked(Revoked::default()));
    assert_eq!(fixture.grants().await, ["telegram:anna dm"]);
}

#[tokio::test]
async fn the_name_that_somebody_asked_with_is_kept_with_the_grant() {
    let fixture = Fixture::open().await;
    fixture.ask(0, asks("eve", "1")).await;
    fixture.change(1, grant("eve", Scope::Dm)).await;
    assert_eq!(fixture.store.access_state().await.unwrap().grants[0].shown.as_deref(), Some("Shown as eve"));
}

#[tokio::test]
async fn the_audit_is_read_from_its_end() {
    let fixture = Fixture::open().await;
    for n in 0..5 {
        let note = AccessChange::Note {
            action: "gateway status".into(),
            subject: n.to_string(),
            outcome: "refused:not_admin".into(),
        };
        assert_eq!(fixture.change(n, note).await, AccessDone::Noted);
    }
    let subjects = |rows: &[AuditRow]| rows.iter().map(|row| row.subject.clone()).collect::<Vec<_>>();
    let newest = fixture.store.audits(None, 2).await.unwrap();
    assert_eq!(subjects(&newest), ["4", "3"]);
    let older = fixture.store.audits(Some(newest[1].id), 9).await.unwrap();
    assert_eq!(subjects(&older), ["2", "1", "0"]);
    let AuditRow { at, by, via, action, outcome, .. } = &older[2];
    assert_eq!((*at, by.as_str(), via.as_str()), (t(0), "telegram:1", "chat"));
    assert_eq!((action.as_str(), outcome.as_str()), ("gateway status", "refused:not_admin"));
}

#[tokio::test]
async fn accounts_stay_disconnected_until_they_are_connected() {
    let fixture = Fixture::open().await;
    let account = |name| AccountId::new("telegram", Some(name)).unwrap();
    let both = vec![account("default"), account("work")];
    let switch =
        |accounts: &[AccountId], stopped| AccessChange::Switch { accounts: accounts.to_vec(), stopped };
    assert_eq!(fixture.change(1, switch(&both, true)).await, AccessDone::Switched { changed: both.clone() });
    let again = fixture.change(2, switch(&both[..1], true)).await;
    assert_eq!(again, AccessDone::Switched { changed: Vec::new() });
    let fixture = fixture.restarted(2).await;
    let row = |name| StoppedAccount { account: account(name), by: "telegram:1".into(), at: t(1) };
    assert_eq!(fixture.store.access_state().await.unwrap().stopped, [row("default"), row("work")]);
    fixture.change(3, switch(&both[1..], false)).await;
    assert_eq!(fixture.store.access_state().await.unwrap().stopped, [row("default")]);
    assert_eq!(
        fixture.audit().await,
        [
            "stop telegram: done",
            "stop telegram@work: done",
            "stop telegram: unchanged",
            "start telegram@work: done"
        ]
    );
}

#[tokio::test]
async fn a_block_leaves_the_grants_and_ends_what_is_open() {
    let fixture = Fixture::open().await;
    fixture.change(1, grant("anna", Scope::Dm)).await;
    let block = || AccessChange::Block { principal: person("anna"), private: None };
    let done = fixture.change(2, block()).await;
    assert_eq!(done, AccessDone::Blocked { new: true, ended: Revoked::default() });
    let done = fixture.change(3, block()).await;
    assert_eq!(done, AccessDone::Blocked { new: false, ended: Revoked::default() });
    let state = fixture.store.access_state().await.unwrap();
    let blocked: Vec<_> = state.blocked.iter().map(|row| (row.principal.as_str(), row.created)).collect();
    assert_eq!(blocked, [("telegram:anna", t(2))]);
    assert_eq!(fixture.grants().await, ["telegram:anna dm"]);
    let unblock = || AccessChange::Unblock { principal: person("anna") };
    assert_eq!(fixture.change(4, unblock()).await, AccessDone::Unblocked { before: true });
    assert_eq!(fixture.change(5, unblock()).await, AccessDone::Unblocked { before: false });
    assert_eq!(fixture.store.access_state().await.unwrap().blocked, []);
    assert_eq!(
        fixture.audit().await[1..],
        [
            "block telegram:anna: done",
            "block telegram:anna: unchanged",
            "unblock telegram:anna: done",
            "unblock telegram:anna: unchanged"
        ]
    );
}
