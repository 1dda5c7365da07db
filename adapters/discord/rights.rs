//! What the bot may do in a channel: see it, and read its history. Without the latter right Discord answers with an empty list.

use frontdesk_kit::json::Fields;
use serde_json::value::RawValue;
use serenity::model::permissions::Permissions;

/// What the bot may do in a guild before its channels add and take away.
#[derive(Debug)]
pub(crate) struct Rights {
    base: Permissions,
    /// The role of everybody, which has the guild's id.
    everybody: String,
    roles: Vec<String>,
    bot: String,
}

impl Rights {
    /// The rights in a guild, as the list of the bot's guilds names them. Where it names none, the bot may do everything.
    pub(crate) fn of(listed: &RawValue, guild: &str, roles: Vec<String>, bot: &str) -> Self {
        let named = Fields::of(listed.get(), "").and_then(|fields| fields.maybe::<String>("permissions"));
        let base = named
            .and_then(|named| named.parse().ok())
            .map_or(Permissions::all(), Permissions::from_bits_truncate);
        Self { base, everybody: guild.to_owned(), roles, bot: bot.to_owned() }
    }

    /// Whether the bot may read what was written in a channel.
    pub(crate) fn may_read_history(&self, channel: &Fields<'_>) -> bool {
        self.within(channel).contains(Permissions::VIEW_CHANNEL | Permissions::READ_MESSAGE_HISTORY)
    }

    /// Whether the bot sees a channel, and gets what is written there.
    pub(crate) fn may_see(&self, channel: &Fields<'_>) -> bool {
        self.within(channel).contains(Permissions::VIEW_CHANNEL)
    }

    /// The rights in a channel. The order is Discord's: what the channel changes for everybody, then for roles together,
    /// then for the member.
    fn within(&self, channel: &Fields<'_>) -> Permissions {
        if self.base.contains(Permissions::ADMINISTRATOR) {
            return Permissions::all();
        }
        let overwrites: Vec<Fields<'_>> = channel.list("permission_overwrites").unwrap_or_default();
        let change = |may: Permissions, concerns: &dyn Fn(&str) -> bool| {
            let concerned =
                || overwrites.iter().filter(|one| one.maybe::<String>("id").is_some_and(|id| concerns(&id)));
            let all = |name: &str| {
                concerned()
                    .filter_map(|one| one.maybe::<String>(name)?.parse().ok())
                    .fold(0, |all, bits: u64| all | bits)
            };
            (may - Permissions::from_bits_truncate(all("deny")))
                | Permissions::from_bits_truncate(all("allow"))
        };
        let may = change(self.base, &|id| id == self.everybody);
        let may = change(may, &|id| self.roles.iter().any(|role| role == id));
        change(may, &|id| id == self.bot)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const READ: u64 = 1 << 16;
    const VIEW: u64 = 1 << 10;

    #[rstest]
    #[case::as_in_the_guild(VIEW | READ, &[], true)]
    #[case::not_in_the_guild(VIEW, &[], false)]
    #[case::an_administrator(8, &[("1", 0, READ)], true)]
    #[case::taken_from_everybody(VIEW | READ, &[("1", 0, READ)], false)]
    #[case::given_back_to_a_role(VIEW | READ, &[("1", 0, READ), ("33", READ, 0)], true)]
    #[case::taken_from_the_bot(VIEW | READ, &[("33", READ, 0), ("42", 0, READ)], false)]
    #[case::given_to_another_role(VIEW, &[("34", READ, 0)], false)]
    #[case::not_to_be_seen(READ, &[], false)]
    fn a_channel_adds_and_takes_away(
        #[case] base: u64,
        #[case] overwrites: &[(&str, u64, u64)],
        #[case] may: bool,
    ) {
        let listed = RawValue::from_string(json!({"id": "1", "permissions": base.to_string()}).to_string());
        let rights = Rights::of(&listed.unwrap(), "1", vec!["33".to_owned()], "42");
        let overwrite = |(id, allow, deny): &(&str, u64, u64)| json!({"id": id, "allow": allow.to_string(), "deny": deny.to_string()});
        let channel = json!({"permission_overwrites": overwrites.iter().map(overwrite).collect::<Vec<_>>()});
        assert_eq!(rights.may_read_history(&Fields::of(&channel.to_string(), "").unwrap()), may);
    }
}
