//! Copies the settings that a channel gives for all its accounts to the accounts that do not set them.

use frontdesk_core::account::DEFAULT_ACCOUNT;
use frontdesk_kit::Channel;

use crate::document::{Key, Node, Value};

/// Copies the inherited settings of these platforms.
pub fn inherit(platforms: &[Channel], document: &mut Node) {
    let Some(channels) = document.get_mut("channels") else { return };
    for platform in platforms {
        let keys = (platform.inherited)();
        if let Some(section) = channels.get_mut(platform.name).filter(|_| !keys.is_empty()) {
            inherit_in(section, &keys);
        }
    }
}

/// Copies the settings of the section to accounts that do not set them. The keys of `accounts.default` are moved to
/// the section itself, which is the account `default`.
fn inherit_in(section: &mut Node, keys: &[String]) {
    let default = take_default(section);
    copy_settings(section, keys);
    if let Some((key, account)) = default {
        put_default(section, key, account);
    }
}

/// Removes the account `default` from `accounts` and returns it.
fn take_default(section: &mut Node) -> Option<(Key, Node)> {
    let Value::Table(accounts) = &mut section.get_mut("accounts")?.value else { return None };
    let at = accounts.iter().position(|(key, _)| key.name == DEFAULT_ACCOUNT)?;
    matches!(accounts[at].1.value, Value::Table(_)).then(|| accounts.remove(at))
}

/// Moves the keys of `accounts.default` to the section. A key that the section has too stays where it was, and is
/// reported there.
fn put_default(section: &mut Node, key: Key, mut account: Node) {
    let (Value::Table(keys), Value::Table(own)) = (&mut account.value, &mut section.value) else { return };
    let (twice, once): (Vec<_>, Vec<_>) = std::mem::take(keys)
        .into_iter()
        .partition(|(key, _)| own.iter().any(|(known, _)| known.name == key.name));
    own.extend(once);
    if !twice.is_empty() {
        *keys = twice;
        if let Some(Value::Table(accounts)) = section.get_mut("accounts").map(|accounts| &mut accounts.value)
        {
            accounts.push((key, account));
        }
    }
}

fn copy_settings(section: &mut Node, keys: &[String]) {
    let written = section.entries().iter().filter(|(key, _)| keys.contains(&key.name));
    let written: Vec<_> = written.cloned().collect();
    let Some(Value::Table(accounts)) = section.get_mut("accounts").map(|accounts| &mut accounts.value) else {
        return;
    };
    for (_, account) in accounts {
        let missing: Vec<_> =
            written.iter().filter(|(key, _)| account.get(&key.name).is_none()).cloned().collect();
        if let Value::Table(entries) = &mut account.value {
            entries.extend(missing);
        }
    }
}
