//! Tests of addresses and principals.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case("telegram:123", "telegram", "default", "123", None)]
#[case("telegram:-100123:topic:456", "telegram", "default", "-100123", Some("456"))]
#[case("telegram:work:123", "telegram", "work", "123", None)]
#[case("telegram:work:123:topic:456", "telegram", "work", "123", Some("456"))]
#[case("discord:789012345", "discord", "default", "789012345", None)]
#[case("x:topic:y", "x", "topic", "y", None)]
#[case("x:topic:topic:topic", "x", "default", "topic", Some("topic"))]
#[case("x:topic:topic:topic:topic", "x", "topic", "topic", Some("topic"))]
#[case("matrix:!room%3Ahome", "matrix", "default", "!room:home", None)]
#[case("x:a%40b:c@d", "x", "a@b", "c@d", None)]
fn the_number_of_segments_decides_what_an_address_says(
    #[case] text: &str,
    #[case] channel: &str,
    #[case] account: &str,
    #[case] chat: &str,
    #[case] thread: Option<&str>,
) {
    let address: Address = text.parse().unwrap();
    let fields = (address.channel(), address.account().name(), address.chat(), address.thread());
    assert_eq!(fields, (channel, account, chat, thread));
    assert_eq!(address.to_string(), text);
}

#[rstest]
#[case("", "is not an address")]
#[case("telegram", "is not an address")]
#[case("telegram:123:thread:456", "is not an address")]
#[case("telegram:work:123:456", "is not an address")]
#[case("telegram:work:123:topic:4:5:6", "is not an address")]
#[case(":123", "the channel is empty")]
#[case("telegram:", "the chat is empty")]
#[case("telegram::123", "the account is empty")]
#[case("telegram:123:topic:", "the thread is empty")]
#[case("telegram:default:%31", "write telegram:1")]
#[case("telegram:%31", "write telegram:1")]
#[case("matrix:!room%3ahome", "write matrix:!room%3Ahome")]
#[case("x:a@b:c", "write x:a%40b:c")]
#[case("telegram:5%", "broken escape")]
fn a_refused_address_says_what_to_write(#[case] text: &str, #[case] says: &str) {
    let error = text.parse::<Address>().unwrap_err().to_string();
    assert!(error.contains(says), "{text:?}: {error}");
}

#[test]
fn the_default_account_may_be_written_out() {
    for (long, short) in [
        ("telegram:default:123", "telegram:123"),
        ("telegram:default:-100:topic:7", "telegram:-100:topic:7"),
        ("telegram:default:default", "telegram:default"),
    ] {
        let address: Address = long.parse().unwrap();
        assert_eq!((address.as_str(), address.account().name()), (short, "default"));
        assert_eq!(address, short.parse().unwrap());
    }
    assert_eq!("telegram@default:123".parse::<Principal>().unwrap().as_str(), "telegram:123");
}

#[rstest]
#[case("telegram:123", "telegram", "default", "123")]
#[case("telegram@work:123", "telegram", "work", "123")]
#[case("matrix:@anna%3Ahome", "matrix", "default", "@anna:home")]
fn a_principal_reads_as_it_is_written(
    #[case] text: &str,
    #[case] platform: &str,
    #[case] account: &str,
    #[case] id: &str,
) {
    let principal: Principal = text.parse().unwrap();
    assert_eq!((principal.platform(), principal.account().name(), principal.id()), (platform, account, id));
    assert_eq!(principal.to_string(), text);
}

#[rstest]
#[case("telegram", "does not name a person")]
#[case("telegram:work:123", "does not name a person")]
#[case("telegram:", "the id is empty")]
#[case(":123", "the platform is empty")]
#[case("telegram@:123", "the account is empty")]
#[case("telegram@default:%31", "write telegram:1")]
#[case("telegram:%40anna", "write telegram:@anna")]
fn a_refused_principal_says_what_to_write(#[case] text: &str, #[case] says: &str) {
    let error = text.parse::<Principal>().unwrap_err().to_string();
    assert!(error.contains(says), "{text:?}: {error}");
}

/// Parts that escaping or counting segments could confuse, and any other characters.
fn segment() -> impl Strategy<Value = String> {
    let trap =
        prop::sample::select(vec![":", "%", "@", "3A", "%3A", "%25", "a", "topic", ":topic:", "default"]);
    let piece = prop_oneof![4 => trap.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn account() -> impl Strategy<Value = Option<String>> {
    prop::option::of(segment()).prop_map(|account| account.filter(|account| account != DEFAULT_ACCOUNT))
}

type Raw = (String, Option<String>, String, Option<String>);

fn built((channel, account, chat, thread): &Raw) -> Address {
    Address::new(channel, account.as_deref(), chat, thread.as_deref()).unwrap()
}

proptest! {
    #[test]
    fn any_address_comes_back_through_its_text(
        raw in (segment(), account(), segment(), prop::option::of(segment())),
    ) {
        let address: Address = built(&raw).as_str().parse().unwrap();
        let (channel, account, chat, thread) = &raw;
        prop_assert_eq!(address.channel(), channel);
        prop_assert_eq!(address.account().name(), account.as_deref().unwrap_or("default"));
        prop_assert_eq!(address.chat(), chat);
        prop_assert_eq!(address.thread(), thread.as_deref());
        prop_assert_eq!(&address, &built(&raw));
    }

    #[test]
    fn different_addresses_never_have_the_same_text(
        one in (segment(), account(), segment(), prop::option::of(segment())),
        other in (segment(), account(), segment(), prop::option::of(segment())),
    ) {
        prop_assert_eq!(one == other, built(&one) == built(&other));
    }

    #[test]
    fn any_principal_comes_back_through_its_text(platform in segment(), account in account(), id in segment()) {
        let built = Principal::new(&platform, account.as_deref(), &id).unwrap();
        let principal: Principal = built.as_str().parse().unwrap();
        prop_assert_eq!(principal.platform(), platform);
        prop_assert_eq!(principal.account().name(), account.as_deref().unwrap_or("default"));
        prop_assert_eq!(principal.id(), id);
        prop_assert_eq!(principal, built);
    }

    #[test]
    fn a_text_that_parses_is_already_canonical(text in "x(@|:|%40|%3A|%3a|%|a|:topic:|default){1,6}") {
        if let Ok(address) = text.parse::<Address>() {
            prop_assert!(address.as_str() == text || address.as_str() == text.replacen(":default:", ":", 1));
        }
        if let Ok(principal) = text.parse::<Principal>() {
            prop_assert!(principal.as_str() == text || principal.as_str() == text.replacen("@default:", ":", 1));
        }
    }
}
