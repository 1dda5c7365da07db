//! Login tickets: each lets one browser in, once and soon, so that no link carries a token. They are kept in memory, and end
//! with the process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use frontdesk_core::port::Mono;
use frontdesk_core::token::{Holder, TokenScope};

use crate::error::ApiError;
use crate::token::{Caller, hash_token, make_token};

/// For how long a ticket is valid if its maker names no time, and at most.
pub(crate) const USUAL: Duration = Duration::from_secs(10 * 60);
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// How many tickets are valid at once: all together, and of one person. A new one takes the place of the person's oldest.
const ALL: usize = 10_000;
const OF_ONE: usize = 20;

/// What a ticket is exchanged for.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// Who made the ticket. Its token must still be valid.
    pub(crate) maker: Caller,
    /// The person who is let in.
    pub(crate) holder: Holder,
    /// What they may do.
    pub(crate) scope: TokenScope,
}

struct Ticket {
    login: Login,
    made: u64,
    expires: Mono,
}

/// The tickets that are valid, by the hashes of their secrets.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<(u64, HashMap<[u8; 32], Ticket>)>);

impl Tickets {
    /// Makes a ticket and returns its secret.
    pub(crate) fn make(&self, login: Login, now: Mono, valid_for: Duration) -> Result<String, ApiError> {
        let secret = make_token().map_err(|_| ApiError::internal())?;
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, tickets) = &mut *state;
        tickets.retain(|_, ticket| now < ticket.expires);
        let theirs = tickets.iter().filter(|(_, ticket)| ticket.login.holder == login.holder);
        let mut theirs: Vec<(u64, [u8; 32])> = theirs.map(|(hash, ticket)| (ticket.made, *hash)).collect();
        theirs.sort_unstable();
        if theirs.len() >= OF_ONE
            && let Some((_, oldest)) = theirs.first()
        {
            tickets.remove(oldest);
        }
        if tickets.len() >= ALL {
            return Err(ApiError::too_many(USUAL));
        }
        *count += 1;
        tickets.insert(hash_token(&secret), Ticket { login, made: *count, expires: now + valid_for });
        Ok(secret)
    }

    /// Takes a ticket, which is then used up. `None` if it is not valid, or not any more.
    pub(crate) fn take(&self, secret: &str, now: Mono) -> Option<Login> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The hash of 256 random bits: how long the look-up takes tells nothing about the secret.
        let ticket = state.1.remove(&hash_token(secret))?;
        (now < ticket.expires).then_some(ticket.login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Token, Tokens};

    fn login(name: &str) -> Login {
        let token = Token { id: name.to_owned(), hash: hash_token(name), scope: TokenScope::Chat };
        let maker = Tokens::new(vec![token]).unwrap().find(name).unwrap();
        Login { maker, holder: name.parse().unwrap(), scope: TokenScope::Chat }
    }

    fn at(seconds: u64) -> Mono {
        Mono(Duration::from_secs(seconds))
    }

    #[test]
    fn a_ticket_lets_in_once_and_in_time() {
        let tickets = Tickets::default();
        let made = tickets.make(login("anna"), at(0), USUAL).unwrap();
        assert!(tickets.take("another", at(1)).is_none());
        assert_eq!(tickets.take(&made, at(1)).unwrap().holder.to_string(), "anna");
        assert!(tickets.take(&made, at(1)).is_none());
        let late = tickets.make(login("anna"), at(0), USUAL).unwrap();
        assert!(tickets.take(&late, at(600)).is_none());
    }

    #[test]
    fn nobody_has_many_tickets() {
        let tickets = Tickets::default();
        let made: Vec<String> =
            (0..=OF_ONE).map(|_| tickets.make(login("anna"), at(0), USUAL).unwrap()).collect();
        assert!(tickets.take(&made[0], at(1)).is_none(), "the oldest gave way");
        assert!(tickets.take(&made[1], at(1)).is_some());
        assert!(tickets.make(login("ben"), at(1), USUAL).is_ok());
    }
}
