//! Where jobs belong, and whether their owners may have them run there.

use frontdesk_core::account::NoSuchChannel;
use frontdesk_core::address::{Address, Principal};
use frontdesk_core::job::JobDelivery;
use frontdesk_core::message::Sender;
use frontdesk_store::row::{JobChat, JobPlace, RunToEnter};

use crate::config::NO_SECRET;
use crate::error::{GatewayError, JobFault};
use crate::settings::Settings;
use crate::shared::Shared;

/// Why results cannot go to somebody in private.
pub(crate) fn no_private_chat(owner: &Principal) -> String {
    format!("delivery: the private chat of {owner} is not known to the gateway; use announce and name a chat")
}

impl Shared {
    /// Where a job belongs that is not made in a chat.
    pub(crate) fn job_place(
        &self,
        settings: &Settings,
        owner: &Principal,
        delivery: &JobDelivery,
    ) -> JobPlace {
        let account = match delivery {
            JobDelivery::Announce(address) => address.account().clone(),
            JobDelivery::Direct | JobDelivery::Silent | JobDelivery::Webhook(_) => owner.account().clone(),
        };
        let address = match delivery {
            JobDelivery::Announce(address) => Some(address.clone()),
            JobDelivery::Direct => self.private_chat(owner),
            JobDelivery::Silent | JobDelivery::Webhook(_) => None,
        };
        JobPlace { account, chat: address.map(|address| self.job_chat(settings, address)) }
    }

    /// A chat that gets results. Readers of some channels fetch what was sent by session, so that is named there.
    fn job_chat(&self, settings: &Settings, address: Address) -> JobChat {
        JobChat { session: self.session_of_reader(settings, &address), address }
    }

    /// Checks where the results of a job go, for a job that is made or changed while the gateway runs.
    pub(crate) fn check_job_place(
        &self,
        settings: &Settings,
        owner: &Sender,
        delivery: &JobDelivery,
    ) -> Result<(), GatewayError> {
        match delivery {
            JobDelivery::Announce(address) => {
                if self.adapters.at(address).is_none() {
                    let unknown = NoSuchChannel::new(address.account(), self.adapters.ids());
                    return Err(GatewayError::Invalid(format!("delivery.to: {unknown}")));
                }
                match self.may_run_job(settings, owner, address) {
                    true => Ok(()),
                    false => Err(JobFault::NotAllowed.into()),
                }
            }
            JobDelivery::Direct if self.private_chat(&owner.id).is_none() => {
                Err(GatewayError::Invalid(no_private_chat(&owner.id)))
            }
            JobDelivery::Webhook(_) if settings.config.cron.webhook_secret.is_none() => {
                Err(GatewayError::Invalid(format!("delivery: {}", NO_SECRET)))
            }
            JobDelivery::Direct | JobDelivery::Silent | JobDelivery::Webhook(_) => Ok(()),
        }
    }

    /// The chat for which a run works: that of its results, or for one that sends nothing, some chat of its owner. `None` if
    /// the private chat that gets the results is not known.
    pub(crate) fn chat_of_run(&self, run: &RunToEnter) -> Option<JobChat> {
        match &run.job.delivery {
            JobDelivery::Announce(address) => {
                let session = run.chat.as_ref().and_then(|chat| chat.session.clone());
                Some(JobChat { address: address.clone(), session })
            }
            JobDelivery::Direct => {
                let address = self.private_chat(&run.owner.id)?;
                let known = run.chat.as_ref().filter(|chat| chat.address == address);
                Some(JobChat { session: known.and_then(|chat| chat.session.clone()), address })
            }
            JobDelivery::Silent | JobDelivery::Webhook(_) => match &run.chat {
                Some(chat) => Some(chat.clone()),
                None => {
                    let address = Address::at(run.session.account(), run.owner.id.id(), None).ok()?;
                    Some(JobChat { address, session: None })
                }
            },
        }
    }
}
