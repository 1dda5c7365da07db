//! Who the sections of chat platforms let write.

use frontdesk_core::access::{Action, Context, Decision, DmPolicy, Grants, Requester, decide};
use frontdesk_core::address::Principal;
use frontdesk_store::row::Scope;

use super::{OTHER, account_of, of_place, says, telegram, telegram_of};
use crate::adapters::registry;
use crate::channels::check_grant;

#[test]
fn only_ids_grant_access() {
    let named =
        ["\"@anna\"", "\"anna\"", "\"Anna B\"", "\"t.me/anna\"", "\"+491701234567\"", "\"007\"", "\"12.5\""];
    for id in named {
        for key in ["allow", "admins", "bots"] {
            says(
                &format!("[channels.telegram]\n{key} = [1, {id}]\n"),
                &[
                    &format!("channels.telegram.{key}[1]"),
                    "2:",
                    "not an id",
                    "/whoami",
                    "frontdesk pairing list",
                ],
            );
        }
    }
    for key in ["allow", "admins", "bots"] {
        let of = |value: &str| format!("[channels.telegram]\n{key} = {value}\n");
        says(&of("[\"\"]"), &["the id is empty"]);
        says(&of("[\" \"]"), &["the id is empty"]);
        says(&of("[-1001234567890]"), &["a group's id", "only people"]);
        says(&of("[0]"), &["not an id"]);
        says(&of("[1087968824]"), &["belongs to the platform"]);
        says(&of("\"7\""), &["expected a list, found a text"]);
        says(&of("false"), &["expected a list, found true or false"]);
        says(&of("[true]"), &["a whole number or a text"]);
        let json = |value: &str| format!("{{\"channels\": {{\"telegram\": {{\"{key}\": {value}}}}}}}");
        says(&json("null"), &["expected a list, found null"]);
        says(&json("[null]"), &["found null"]);
        says(&json("\"no\""), &["expected a list"]);
    }
    says("[channels.telegram]\nadmins = [\"*\"]\n", &["\"*\" is not accepted here"]);
    let group = "{\"channels\": {\"telegram\": {\"groups\": {\"-5\": {\"allow\": null}}}}}";
    says(group, &["expected a list, found null"]);
}

#[test]
fn an_empty_list_of_a_group_admits_nobody_and_no_list_admits_everybody() {
    let who = Principal::new("telegram", None, "7").unwrap();
    for (list, expected) in
        [("", true), ("allow = []\n", false), ("allow = [7]\n", true), ("allow = [8]\n", false)]
    {
        let config = telegram(&format!("[channels.telegram.groups.\"-5\"]\n{list}"));
        let rules = of_place(&config, "default");
        let decision =
            decide(&rules, Grants::default(), Requester::person(&who), Context::Group("-5"), Action::Write);
        assert_eq!(decision == Decision::Allow, expected, "{list:?}");
    }
}

#[test]
fn only_an_open_policy_admits_everybody() {
    says("[channels.telegram]\nallow = [\"*\"]\n", &["2:10", "is not accepted here", "dm_policy = \"open\""]);
    says("[channels.telegram]\ndm_policy = \"allowlist\"\nallow = [\"*\"]\n", &["dm_policy = \"open\""]);
    let (stranger, empty) = (Principal::new("telegram", None, "5").unwrap(), "allow = []\n");
    let decision = |text: &str| {
        let rules = of_place(&telegram(text), "default");
        decide(&rules, Grants::default(), Requester::person(&stranger), Context::Dm, Action::Write)
    };
    assert_eq!(decision("dm_policy = \"open\"\n"), Decision::Allow);
    assert_eq!(decision("dm_policy = \"open\"\nallow = [\"*\"]\n"), Decision::Allow);
    assert_eq!(decision(empty), Decision::Pair);
    assert!(matches!(decision(&format!("dm_policy = \"allowlist\"\n{empty}")), Decision::Deny(_)));
    says(
        "[channels.telegram]\ndm_policy = \"public\"\n",
        &["\"pairing\", \"allowlist\", \"open\" or \"disabled\""],
    );
}

#[test]
fn access_on_one_account_grants_nothing_on_another() {
    let config = telegram(&format!(
        "dm_policy = \"open\"\nallow = [7]\nadmins = [9]\nagent = \"main\"\nstreaming = \"off\"\npoll_seconds = 7\n\
         api_url = \"http://127.0.0.1:1\"\n[channels.telegram.groups.\"-5\"]\n\
         [channels.telegram.accounts.work]\ntoken = \"{OTHER}\"\nadmins = [11]\npoll_seconds = 8\n"
    ));
    let work = of_place(&config, "work");
    assert_eq!(work.dm_policy, DmPolicy::Pairing);
    assert!(work.allow.is_empty() && work.groups.is_empty());
    assert_eq!(work.admins.iter().collect::<Vec<_>>(), ["11"]);
    assert_eq!(account_of(&config, "work").routes().agent, None);
    // What is about the platform holds for all of its bots.
    let settings = &telegram_of(&config).accounts["work"].settings;
    assert_eq!(settings.api_url.as_deref(), Some("http://127.0.0.1:1"));
    assert_eq!((settings.streaming, settings.poll_seconds), (frontdesk_telegram::Streaming::Off, 8));
}

#[test]
fn a_grant_of_an_admin_needs_the_id_of_a_person() {
    let check = |platform: &str, id: &str, scope: Scope| {
        check_grant(&registry(), &Principal::new(platform, None, id).unwrap(), &scope)
    };
    assert_eq!(check("telegram", "7", Scope::Dm), Ok(()));
    assert_eq!(check("telegram", "7", Scope::Group("-5".into())), Ok(()));
    assert!(check("telegram", "7", Scope::Group("5".into())).is_err());
    for id in ["@anna", "anna", "-5", "*", "1087968824"] {
        assert!(check("telegram", id, Scope::Admin).is_err(), "{id}");
    }
    assert_eq!(check("my-own", "anna", Scope::Dm), Ok(()));
}
