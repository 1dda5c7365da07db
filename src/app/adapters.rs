//! The platforms of this program. This is the only file with `cfg(feature)`.
//!
//! A new platform needs a feature in Cargo.toml and one line here.

use frontdesk_kit::Channel;

/// The platforms, each by the section of its configuration.
pub fn registry() -> Vec<Channel> {
    vec![
        #[cfg(feature = "web")]
        Channel::of::<frontdesk_web::Web>(),
        #[cfg(feature = "telegram")]
        Channel::of::<frontdesk_telegram::Telegram>(),
        #[cfg(feature = "discord")]
        Channel::of::<frontdesk_discord::Discord>(),
        #[cfg(feature = "slack")]
        Channel::of::<frontdesk_slack::Slack>(),
    ]
}
