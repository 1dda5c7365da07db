//! Tokens of the API: made, replaced, revoked with all that their holders have.

use frontdesk_core::address::Principal;
use frontdesk_core::token::TokenScope;
use frontdesk_store::row::*;

use crate::fixture::*;

fn make(who: &str, scope: TokenScope, hash: u8) -> AccessChange {
    let (name, holder) = (who.parse().unwrap(), holder(who));
    AccessChange::MakeToken(NewToken { name, holder, hash: [hash; 32], scope, expires: Some(t(500)) })
}

fn revoke(who: &str) -> AccessChange {
    AccessChange::RevokeToken { name: who.parse().unwrap(), holder: holder(who), private: None }
}

/// Who writes in the tests as `anna` has the id 7.
fn holder(who: &str) -> Principal {
    person(if who == "anna" { "7" } else { who })
}

async fn valid(fixture: &Fixture) -> Vec<(String, u8)> {
    let tokens = fixture.store.access_state().await.unwrap().tokens;
    tokens.into_iter().map(|token| (token.name.to_string(), token.hash[0])).collect()
}

#[tokio::test]
async fn the_owners_token_can_be_replaced_and_is_no_named_one() {
    let fixture = Fixture::open().await;
    assert_eq!(fixture.store.owner_token("main").await.unwrap(), None);
    for hash in [[1; 32], [2; 32]] {
        fixture.store.owner_token_made("main", hash, t(1)).await.unwrap();
        assert_eq!(fixture.store.owner_token("main").await.unwrap(), Some(hash.to_vec()));
    }
    assert_eq!(valid(&fixture).await, []);
    assert_eq!(fixture.change(2, revoke("main")).await, AccessDone::NoSuchToken);
    assert_eq!(fixture.change(2, make("main", TokenScope::Chat, 9)).await, AccessDone::TokenNameTaken);
    let shown = fixture.store.tokens().await.unwrap();
    assert_eq!((shown.len(), shown[0].kind, shown[0].scope), (1, TokenKind::Owner, TokenScope::Admin));
}

#[tokio::test]
async fn a_token_gives_its_holder_what_its_scope_needs() {
    let fixture = Fixture::open().await;
    for (who, scope) in [("anna", TokenScope::Chat), ("bob", TokenScope::Read), ("carl", TokenScope::Admin)] {
        assert_eq!(fixture.change(1, make(who, scope, who.as_bytes()[0])).await, AccessDone::TokenStored);
    }
    assert_eq!(fixture.grants().await, ["telegram:7 dm", "telegram:bob dm", "telegram:carl admin"]);
    assert_eq!(valid(&fixture).await.len(), 3);
    let shown = fixture.store.tokens().await.unwrap().remove(0);
    assert_eq!((shown.expires, shown.last_used, shown.revoked), (Some(t(500)), None, None));
    fixture.store.tokens_used(vec![("anna".to_owned(), t(7))]).await.unwrap();
    fixture.store.tokens_used(vec![("anna".to_owned(), t(5))]).await.unwrap();
    assert_eq!(fixture.store.tokens().await.unwrap()[0].last_used, Some(t(7)));
}

#[tokio::test]
async fn a_revoked_token_takes_everything_with_it_and_its_name_stays_taken() {
    let fixture = Fixture::open().await;
    fixture.change(1, make("anna", TokenScope::Chat, 1)).await;
    let waiting = fixture.accept_one(2, says("anna", "1", "hello")).await;
    let rotated = AccessChange::RotateToken { name: "anna".parse().unwrap(), hash: [2; 32], expires: None };
    assert_eq!(fixture.change(3, rotated.clone()).await, AccessDone::TokenStored);
    assert_eq!(valid(&fixture).await, [("anna".to_owned(), 2)]);
    let AccessDone::Revoked(ended) = fixture.change(4, revoke("anna")).await else { panic!("it was valid") };
    assert_eq!((ended.grants, ended.waiting.len()), (1, 1), "{ended:?}");
    assert_eq!(fixture.state(waiting).await.0, "refused");
    assert_eq!((valid(&fixture).await, fixture.grants().await), (vec![], vec![]));
    assert_eq!(fixture.change(5, revoke("anna")).await, AccessDone::NoSuchToken);
    assert_eq!(fixture.change(5, rotated).await, AccessDone::NoSuchToken);
    assert_eq!(fixture.change(5, make("anna", TokenScope::Chat, 3)).await, AccessDone::TokenNameTaken);
    assert_eq!(
        fixture.audit().await,
        [
            "make_token anna chat: done",
            "rotate_token anna: done",
            "revoke_token anna: done",
            "revoke telegram:7 everything: done",
            "revoke_token anna: unchanged",
            "rotate_token anna: unchanged",
            "make_token anna chat: refused:taken",
        ]
    );
}

/// Logs a browser in, for the person of this name.
fn log_in(browser: u8, who: &str) -> AccessChange {
    AccessChange::LogIn(NewBrowser {
        name: format!("browser-{browser}").parse().unwrap(),
        holder: who.parse().unwrap(),
        hash: [browser; 32],
        scope: TokenScope::Chat,
        expires: t(1_000_000),
    })
}

#[tokio::test]
async fn browsers_end_with_the_token_that_let_them_in_and_nobody_elses() {
    for end in ["rotate", "revoke"] {
        let fixture = Fixture::open().await;
        for (who, scope, hash) in
            [("shop", TokenScope::App, 201), ("shop0", TokenScope::Chat, 202), ("sho", TokenScope::Chat, 203)]
        {
            fixture.change(1, make(who, scope, hash)).await;
        }
        for (browser, who) in [(1, "shop/anna"), (2, "shop/ben"), (3, "shop0"), (4, "sho")] {
            assert_eq!(fixture.change(2, log_in(browser, who)).await, AccessDone::TokenStored);
        }
        assert_eq!(fixture.change(2, log_in(1, "sho")).await, AccessDone::TokenNameTaken);
        let change = match end {
            "rotate" => {
                AccessChange::RotateToken { name: "shop".parse().unwrap(), hash: [9; 32], expires: None }
            }
            _ => revoke("shop"),
        };
        fixture.change(3, change).await;
        let left: Vec<String> = valid(&fixture).await.into_iter().map(|(name, _)| name).collect();
        let of_browsers: Vec<&str> =
            left.iter().map(String::as_str).filter(|name| name.starts_with("browser")).collect();
        assert_eq!(of_browsers, ["browser-3", "browser-4"], "{end}");
    }
}

#[tokio::test]
async fn a_person_has_at_most_fifty_browsers_and_one_is_logged_out_alone() {
    let fixture = Fixture::open().await;
    fixture.change(1, make("anna", TokenScope::Chat, 200)).await;
    for browser in 0..52 {
        fixture.change(10 + i64::from(browser), log_in(browser, "anna")).await;
    }
    let names = |left: Vec<(String, u8)>| left.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let left = names(valid(&fixture).await);
    assert_eq!(left.len(), 51, "the token and fifty browsers");
    assert!(!left.contains(&"browser-0".to_owned()) && !left.contains(&"browser-1".to_owned()), "{left:?}");
    let out = AccessChange::LogOut { name: "browser-7".parse().unwrap() };
    assert_eq!(fixture.change(100, out.clone()).await, AccessDone::TokenStored);
    assert_eq!(fixture.change(100, out).await, AccessDone::NoSuchToken);
    let named = AccessChange::LogOut { name: "anna".parse().unwrap() };
    assert_eq!(fixture.change(100, named).await, AccessDone::NoSuchToken);
    assert_eq!(valid(&fixture).await.len(), 50);
    // An admin ends one in the same way; its person keeps everything.
    let by_admin = AccessChange::RevokeToken {
        name: "browser-8".parse().unwrap(),
        holder: person("browser-8"),
        private: None,
    };
    assert_eq!(fixture.change(101, by_admin).await, AccessDone::Revoked(Revoked::default()));
    assert_eq!((valid(&fixture).await.len(), fixture.grants().await), (49, vec!["telegram:7 dm".to_owned()]));
    fixture.store.purge_browsers(t(1_000_000) + chrono::TimeDelta::days(31)).await.unwrap();
    assert_eq!(fixture.store.tokens().await.unwrap().len(), 1);
}
